"""Analyse one Python file, by the grammar of the Python that runs this."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any

from kuroshio.changes.imports import python_dynamics as dynamics
from kuroshio.changes.imports.analysis import MAX_DOUBTS, VERSION, Analysis, Doubt, Import, Kind, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A syntax tree takes up to some 200 bytes of memory per byte of source. Modules that people write stay far below.
MAX_BYTES = 512 * 1024
# The grammar is the running interpreter's, so an analysis is right for one minor version of it only.
KEY = f"python-{VERSION}-{sys.version_info[0]}.{sys.version_info[1]}"

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_ENCODINGS = frozenset({b"utf-8", b"utf8", b"utf-8-sig", b"ascii", b"us-ascii", b"latin-1", b"iso-8859-1", b"latin1"})
# A string that may name a module (or something in one), and one that may name a Python file.
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+(?::[\w.]+)?")
_FILE = re.compile(r"(?:\./)?(?:[\w-]+/)*[\w-]+\.py")
_MAX_NAME = 200
# Where Lambda puts the code: who names it reads files there.
_TASK_ROOT = re.compile(r"LAMBDA_TASK_ROOT|/var/task\b.*", re.DOTALL)


def analyse(content: bytes) -> Analysis:
    """Return all that a Python file says about other modules. Never raises: what cannot be parsed is a doubt."""
    if len(content) > MAX_BYTES:
        return unreadable(f"is larger than {MAX_BYTES} bytes and was not analysed")
    encoding = _strange_encoding(content)
    if encoding:
        return unreadable(f"is encoded as {encoding}, and was not analysed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes, which are the author's business
            tree = ast.parse(content)
    except SyntaxError as error:
        return unreadable(f"is not the Python that this detection reads ({error.msg})", error.lineno or 1)
    except (ValueError, RecursionError, MemoryError):
        return unreadable("cannot be parsed (NUL bytes, or nested too deeply)")
    return _Module(tree).analysis()


def _strange_encoding(content: bytes) -> str:
    for line in content[:1000].split(b"\n", 2)[:2]:
        found = _COOKIE.match(line)
        if found:
            name = found[1].lower().replace(b"_", b"-")
            return "" if name in _ENCODINGS else found[1].decode("ascii", "replace")
    return ""


class _Module:
    """The nodes of one syntax tree that matter, gathered in one walk without recursion."""

    def __init__(self, tree: ast.Module) -> None:
        self._bound: dict[str, str] = {}  # local name -> what an import statement bound it to
        self._imports: dict[Import, None] = {}
        self._doubts: dict[Doubt, None] = {}
        self._calls: list[ast.Call] = []
        self._references: list[ast.Name | ast.Attribute] = []
        self._assigned: set[str] = set()
        self._literals: set[str] = set()  # names that are bound to a dictionary that is written out
        self._strings: dict[str, int] = {}
        self._conditionals: list[ast.If] = []
        self._part_of_longer: set[int] = set()
        self._called: set[int] = set()
        self._notes: dict[type[ast.AST], Callable[[Any], None]] = {
            ast.Name: self._references.append,
            ast.Attribute: self._attribute,
            ast.Call: self._calls.append,
            ast.Constant: self._constant,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Assign: self._assignment,
            ast.AnnAssign: self._assignment,
            ast.AugAssign: self._assignment,
        }
        self._gather(tree)

    def analysis(self) -> Analysis:
        for call in self._calls:
            self._call(call)
        for reference in self._references:
            self._reference(reference)
        for text, line in self._strings.items():
            self._string(text, line)
        return Analysis(tuple(self._imports), tuple(islice(self._doubts, MAX_DOUBTS)))

    def _gather(self, tree: ast.Module) -> None:
        waiting: list[ast.AST] = [tree]
        while waiting or self._conditionals:
            if not waiting:  # all imports are known, so that it is clear whose TYPE_CHECKING it is
                waiting += self._bodies_that_run()
                continue
            node = waiting.pop()
            note = self._notes.get(type(node))
            if note:
                note(node)
            if isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
                self._conditionals.append(node)
                waiting += node.orelse
            else:
                waiting += _children(node)

    def _bodies_that_run(self) -> list[ast.stmt]:
        """Return the bodies under a TYPE_CHECKING that may be true; typing's is false whenever code runs."""
        conditionals, self._conditionals = self._conditionals, []
        return [
            statement
            for node in conditionals
            if "TYPE_CHECKING" in self._assigned or self._qualified(node.test) != "typing.TYPE_CHECKING"
            for statement in node.body
        ]

    def _attribute(self, node: ast.Attribute) -> None:
        self._references.append(node)
        self._part_of_longer.add(id(node.value))

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and len(node.value) <= _MAX_NAME:
            self._strings.setdefault(node.value, node.lineno)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(Kind.MODULE, alias.name, node)
            self._bind(alias.asname or alias.name.partition(".")[0], alias.name if alias.asname else "")
            self._judge_module(alias.name, node)

    def _import_from(self, node: ast.ImportFrom) -> None:
        name = "." * node.level + (node.module or "")
        self._add(Kind.MODULE, name, node, tuple(alias.name for alias in node.names))
        if not node.level:
            self._judge_module(name, node)
        for alias in node.names:
            self._bind(alias.asname or alias.name, f"{name}.{alias.name}")
            if alias.name == "*" and (message := dynamics.doubt_about(name)):
                self._doubt(node, message)

    def _bind(self, local: str, qualified: str) -> None:
        self._bound[local] = (qualified or local).replace("typing_extensions.", "typing.")

    def _judge_module(self, name: str, node: ast.stmt) -> None:
        message = dynamics.DYNAMIC_MODULES.get(name.partition(".")[0])
        if message:
            self._doubt(node, message)

    def _assignment(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        self._assigned |= names
        if isinstance(node.value, ast.Dict):
            self._literals |= names
        if "__all__" in names and node.value is not None:
            self._exports(node.value)

    def _exports(self, value: ast.expr) -> None:
        """Note what ``from package import *`` would import, should this file be the package."""
        names = _strings(value)
        if names is None:
            self._add(Kind.PREFIX, ".", value, ("__all__",))
        else:
            self._add(Kind.OPTIONAL, ".", value, names)

    def _call(self, node: ast.Call) -> None:
        qualified = self._qualified(node.func)
        if qualified in dynamics.IMPORTERS or _last_name(node.func) in dynamics.IMPORTER_NAMES:
            self._called.add(id(node.func))
            self._import_by_name(node, qualified)
        elif qualified.startswith(dynamics.RESOURCES):
            self._called.add(id(node.func))
            self._read_resources(node)
        elif qualified in dynamics.SHOWN_BY_LITERAL and node.args and self._is_literal(node.args[0]):
            self._called.add(id(node.func))
        elif qualified.endswith(("__all__.extend", "__all__.append", "__all__.insert")) and node.args:
            self._exports(node.args[-1])

    def _is_literal(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Dict) or (isinstance(node, ast.Name) and node.id in self._literals)

    def _import_by_name(self, node: ast.Call, qualified: str) -> None:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "name")]
        name = _text(arguments[0]) if arguments else None
        if name is None:
            self._computed(node, arguments)
        elif qualified.endswith("__import__"):
            self._import_builtin(node, name)
        elif name.startswith("."):
            self._import_relative(node, name)
        else:
            kind = Kind.MODULE if qualified == "importlib.import_module" else Kind.OPTIONAL
            self._add(kind, name.partition(":")[0], node)

    def _computed(self, node: ast.Call, arguments: list[ast.expr]) -> None:
        prefix, dot, _ = _prefix(arguments[0]).rpartition(".") if arguments else ("", "", "")
        if dot and not prefix.startswith(".") and prefix:
            self._add(Kind.PREFIX, prefix, node)
        else:
            self._doubt(node, "imports a module whose name is computed")

    def _import_builtin(self, node: ast.Call, name: str) -> None:
        level = [*node.args[4:5], *(keyword.value for keyword in node.keywords if keyword.arg == "level")]
        if any(not (isinstance(each, ast.Constant) and each.value in (0, None)) for each in level):
            self._doubt(node, "imports a module relative to what is computed")
        listed = [*node.args[3:4], *(keyword.value for keyword in node.keywords if keyword.arg == "fromlist")]
        names = _strings(listed[0]) if listed else ()
        if names is None:
            self._add(Kind.PREFIX, name, node)
        else:
            self._add(Kind.MODULE, name, node, names)

    def _import_relative(self, node: ast.Call, name: str) -> None:
        given = [*node.args[1:2], *(keyword.value for keyword in node.keywords if keyword.arg == "package")]
        package = given[0] if given else None
        if isinstance(package, ast.Constant) and isinstance(package.value, str):
            stem = name.lstrip(".")
            above = package.value.split(".")
            above = above[: len(above) - (len(name) - len(stem)) + 1]
            self._add(Kind.MODULE, ".".join([*above, stem]), node)
        elif isinstance(package, ast.Name) and package.id in ("__package__", "__name__"):
            self._add(Kind.MODULE, name, node)
        else:
            self._doubt(node, "imports a module relative to a package that is computed")

    def _read_resources(self, node: ast.Call) -> None:
        name = _text(node.args[0]) if node.args else None
        own = not node.args or (isinstance(node.args[0], ast.Name) and node.args[0].id in ("__package__", "__name__"))
        if name:
            self._add(Kind.OPTIONAL, name, node)
            self._add(Kind.RESOURCES, name, node)
        elif own:
            self._add(Kind.RESOURCES, "", node)
        else:
            # A package that is passed as an object was imported, and so is seen; its files are data of the directory.
            self._add(Kind.RESOURCES, "", node)
            if not isinstance(node.args[0], ast.Name | ast.Attribute):
                self._doubt(node, "reads files of a package whose name is computed")

    def _reference(self, node: ast.Name | ast.Attribute) -> None:
        if id(node) in self._part_of_longer or id(node) in self._called:
            return
        qualified = self._qualified(node)
        if qualified in dynamics.IMPORTERS or _last_name(node) in dynamics.IMPORTER_NAMES:
            self._doubt(node, "hands on the function that imports modules")
        elif qualified.partition(".")[0] == "__file__" or qualified.startswith(dynamics.RESOURCES):
            self._add(Kind.RESOURCES, "", node)
        elif message := dynamics.doubt_about(qualified):
            self._doubt(node, message)

    def _string(self, text: str, line: int) -> None:
        if _DOTTED.fullmatch(text) or _FILE.fullmatch(text):
            self._imports.setdefault(Import(Kind.OPTIONAL, text.partition(":")[0], line))
        elif _TASK_ROOT.fullmatch(text):
            self._imports.setdefault(Import(Kind.RESOURCES, "", line))

    def _qualified(self, node: ast.AST) -> str:
        """Return the dotted name that an expression is, with its first part as the imports bound it; or ""."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self._bound.get(node.id, node.id))
        return ".".join(reversed(parts))

    def _add(self, kind: Kind, name: str, node: ast.stmt | ast.expr, names: tuple[str, ...] = ()) -> None:
        self._imports.setdefault(Import(kind, name, node.lineno, names))

    def _doubt(self, node: ast.stmt | ast.expr, message: str) -> None:
        self._doubts.setdefault(Doubt(node.lineno, message))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield item


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _strings(node: ast.expr) -> tuple[str, ...] | None:
    """Return the strings of a list that is written out; None when it is computed."""
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    texts = [_text(item) for item in node.elts]
    return None if None in texts else tuple(text for text in texts if text is not None)


def _prefix(node: ast.expr) -> str:
    """Return the text that a computed string surely begins with."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        node = node.left
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return _text(node) or ""
