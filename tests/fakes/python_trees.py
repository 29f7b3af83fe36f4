"""Random Python packages, and the interpreter that says which of their files importing a handler reads."""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# queue and calendar hide modules of the standard library.
_NAMES = ["app", "core", "lib", "orders", "queue", "calendar", "x", "y"]

# {absolute}: a module of the tree by its full name; {package} and {member}: the same in two parts; {relative}: dots and
# a name; {path}: its file. Each statement is tried, so that a failing one does not end the module.
_STATEMENTS = [
    "import {absolute}",
    "import {absolute} as it",
    "from {package} import {member}",
    "from {package} import {member} as other, nothing",
    "from {package} import *",
    "from {absolute} import *",
    "from {absolute} import thing",
    "from . import {member}",
    "from .{member} import thing",
    "from .{member} import *",
    "from .. import {member}",
    "from ..{member} import thing",
    "from ...{absolute} import thing",
    "import queue, calendar, os.path, email.message",
    "import {package}.missing",
    "def f():\n        from {package} import {member}\n    f()",
    "class C:\n        import {absolute}",
    "if len('a'):\n        import {absolute}\n    else:\n        import nothing",
    "import importlib; importlib.import_module('{absolute}')",
    "from importlib import import_module as get; get('.{member}', __package__)",
    "from importlib import import_module; import_module('.{member}', package='{package}')",
    "import importlib as i; i.import_module(f'{package}.{{str(\"{member}\")}}')",
    "import importlib; importlib.import_module('{package}.' + str('{member}'))",
    "import importlib.util; importlib.util.find_spec('{package}.{member}')",
    "__import__('{absolute}')",
    "__import__('{package}', fromlist=['{member}'])",
    "__import__('{package}', globals(), locals(), ['{member}'], 0)",
    "import builtins; builtins.__import__('{absolute}')",
    "import runpy; runpy.run_module('{absolute}')",
    "import pkgutil; pkgutil.resolve_name('{absolute}:thing')",
    "from typing import TYPE_CHECKING\n    if TYPE_CHECKING:\n        import {absolute}",
    "TYPE_CHECKING = True\n    if TYPE_CHECKING:\n        import {absolute}",
    "import logging.config; logging.config.dictConfig({{'version': 1, 'formatters': {{'f': {{'()': '{absolute}.Formatter'}}}}}})",
    "import importlib.resources as r; r.files('{package}')",
    "__all__ = ['{member}', 'thing']",
    "__all__ = ('thing',)\n    __all__ += ('{member}',)",
    "thing = 1",
    "import email._parseaddr",
    "from {package} import *",
    "from {package} import *",
    "__all__ = ['{member}']",
    "import sched",
]
# Where these lead cannot be known.
_UNKNOWABLE = [
    "import importlib; importlib.import_module(str('{absolute}'))",
    "import importlib; (lambda get: get('{absolute}'))(importlib.import_module)",
    "import importlib; getattr(importlib, 'import_module')('{absolute}')",
    "__import__('{member}', globals(), locals(), ['x'], 1)",
    "g = __import__; g('{absolute}')",
    "exec('import {absolute}')",
    "eval('__import__(\"{absolute}\")')",
    "import os, runpy, sys; runpy.run_path(os.path.join(sys.path[0], '{path}'))",
    "import sys, os; sys.path.append(os.path.join(sys.path[0], 'lib')); import {member}",
    "import pkgutil, {package} as p; [__import__(m.name) for m in pkgutil.iter_modules(p.__path__, '{package}.')]",
    "import os, sys, importlib.util as u; s = u.spec_from_file_location('z', os.path.join(sys.path[0], '{path}')); m = u.module_from_spec(s); s.loader.exec_module(m)",
    "import pickle; pickle.loads(b'c{absolute}\\nthing\\n.')",
    "__all__ = [name for name in ('{member}',)]",
    "def __getattr__(name):\n        import importlib\n        return importlib.import_module('.' + name, __name__)",
]


def trees() -> st.SearchStrategy[tuple[dict[str, str], list[str]]]:
    """Draw files below ``src/`` and the handlers to try, by a seed: what shrinks well begins too small."""
    return st.integers(0, 2**48).map(_tree)


def _tree(seed: int) -> tuple[dict[str, str], list[str]]:
    chance = Random(seed)  # noqa: S311 - no secret
    folders = ["", *chance.sample(_NAMES, chance.randint(0, 3))]
    folders += [f"{chance.choice(folders[1:])}/{chance.choice(_NAMES)}" for _ in range(2) if len(folders) > 1]
    modules = {"app", "core"}
    for folder in folders:
        names = [chance.choice(_NAMES) for _ in range(chance.randint(1, 3))] + ["__init__"] * chance.randint(0, 1)
        modules |= {f"{folder}/{name}".lstrip("/") for name in names if folder or name != "__init__"}
    ordered = sorted(modules)
    files = {f"src/{each}.py": _module(chance, ordered) for each in ordered}
    for each in ordered:
        folder, _, name = each.rpartition("/")
        if name == "__init__" and chance.randrange(2):
            inside = sorted(_dotted(other) for other in ordered if other.startswith(folder + "/") and other != each)
            files[f"src/{each}.py"] += f"__all__ = {[other.split('.')[folder.count('/') + 1] for other in inside]}\n"
    return files, [f"{_dotted(each)}.handler" for each in chance.sample(ordered, min(3, len(ordered)))]


def _dotted(module: str) -> str:
    return module.removesuffix("/__init__").replace("/", ".")


def _module(chance: Random, modules: list[str]) -> str:
    count = chance.choice([0, 1, 1, 2, 3])
    statements = [chance.choice(_STATEMENTS if chance.randrange(12) else _UNKNOWABLE) for _ in range(count)]
    return "\n".join(_tried((each, chance.choice(modules))) for each in statements) + "\n"


def _tried(drawn: tuple[str, str]) -> str:
    statement, module = drawn
    absolute = _dotted(module)
    package, _, member = absolute.rpartition(".")
    text = statement.format(absolute=absolute, package=package or absolute, member=member, path=f"{module}.py")
    return f"try:\n    {text}\nexcept BaseException:\n    pass"


# Each import happens in a fork of an interpreter that has imported nothing: as fresh as a new one, and much quicker.
_WITNESS = """
import json, os, sys
from importlib.machinery import SourceFileLoader
for line in sys.stdin:
    root, module = json.loads(line)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        seen = []
        really = SourceFileLoader.get_data
        SourceFileLoader.get_data = lambda self, path: (seen.append(path), really(self, path))[1]
        sys.path.insert(0, root)
        try:
            __import__(module)
        except BaseException:
            pass
        seen += [getattr(each, "__file__", None) or "" for each in sys.modules.values()]
        os.write(writing, json.dumps(sorted({os.path.normpath(p)[len(root) + 1:] for p in seen if p.startswith(root)})).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    print(os.read(reading, 1 << 20).decode(), flush=True)
    os.close(reading)
"""


class Interpreter:
    """A fresh interpreter for each import, and the files that it really read."""

    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-B", "-W", "ignore", "-c", _WITNESS]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def loaded(self, root: Path, module: str) -> set[str]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(root), module]) + "\n")
        self._process.stdin.flush()
        return set(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate("")


def write(files: dict[str, str], folder: Path) -> Iterator[Path]:
    """Write a tree down."""
    for path, content in files.items():
        at = folder / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(content)
        yield at
