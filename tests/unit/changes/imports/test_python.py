"""Python: what a handler is made of, construct by construct."""

from __future__ import annotations

import pytest

from kuroshio.changes.imports import python_source
from kuroshio.changes.imports.closure import Commons
from kuroshio.changes.imports.graph import CodeDirectory, Language, Start
from tests.fakes.imports import KeptAnalyses, closures, python
from tests.fakes.repository import link, submodule

SRC = CodeDirectory("src", Language.PYTHON)


def test_a_change_to_one_of_24_handlers_concerns_it_and_those_that_import_it_and_no_other() -> None:
    files = {f"src/h{n}.py": "import shared\ndef handler(event, context): ..." for n in range(24)}
    files |= {"src/h7.py": "import h3", "src/shared.py": "", "src/requirements.txt": ""}
    found = closures(files, SRC, [Start(f"h{n}.handler") for n in range(24)])
    assert [n for n, closure in enumerate(found) if closure.through("src/h3.py") is not None] == [3, 7]
    assert found[7].through("src/shared.py") == ("src/h3.py", "src/h7.py")
    assert found[7].through("src/h3.py") == ("src/h7.py",)
    assert all(closure.through("src/requirements.txt") is not None for closure in found)
    assert not any(closure.unknown for closure in found)


def test_what_nobody_imports_belongs_to_all() -> None:
    files = {"src/a.py": "import lib", "src/b.py": "", "src/lib.py": "", "src/old.py": "", "src/data.json": ""}
    commons = Commons.of(closures(files, SRC, [Start("a.handler"), Start("b.handler")]), (".py",))
    assert [path for path in files if path in commons] == ["src/old.py", "src/data.json"]


@pytest.mark.parametrize(
    ("handler", "files"),
    [
        ("app.handler", {"src/app.py"}),
        ("pkg.mod.handler", {"src/pkg/__init__.py", "src/pkg/mod.py"}),
        ("pkg/mod.handler", {"src/pkg/__init__.py", "src/pkg/mod.py"}),
        ("pkg.handler", {"src/pkg/__init__.py"}),
        ("space.mod.handler", {"src/space/mod.py"}),
    ],
)
def test_handlers_name_their_modules_as_lambda_reads_them(handler: str, files: set[str]) -> None:
    tree = dict.fromkeys(("src/app.py", "src/pkg/__init__.py", "src/pkg/mod.py", "src/space/mod.py"), "")
    assert set(python(tree, handler).files) == files


@pytest.mark.parametrize("handler", ["gone.handler", "handler", "", "space.handler", ".handler"])
def test_a_handler_that_is_not_found_makes_everything_its_own(handler: str) -> None:
    closure = python({"src/app.py": "", "src/space/mod.py": ""}, handler)
    assert closure.unknown
    assert closure.through("src/app.py") == ()


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import pkg.mod", {"pkg/__init__.py", "pkg/mod.py"}),
        ("from pkg import mod", {"pkg/__init__.py", "pkg/mod.py"}),
        ("from pkg import name", {"pkg/__init__.py"}),
        ("from pkg import *", {"pkg/__init__.py", "pkg/listed.py"}),
        ("from space import mod", {"space/mod.py"}),
        ("def f():\n  import top", {"top.py"}),
        ("try:\n  import top\nexcept ImportError:\n  import pkg", {"top.py", "pkg/__init__.py", "pkg/listed.py"}),
        ("if a:\n  import top\nelse:\n  import nothing", {"top.py"}),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  import top", set()),
        ("import typing as t\nif t.TYPE_CHECKING:\n  import top\nelse:\n  import pkg.mod", {"pkg/mod.py"}),
        ("TYPE_CHECKING = 1\nif TYPE_CHECKING:\n  import top", {"top.py"}),
        ("import importlib\nimportlib.import_module('top')", {"top.py"}),
        ("from importlib import import_module as i\ni('pkg.mod')", {"pkg/mod.py"}),
        ("__import__('pkg', fromlist=['mod'])", {"pkg/mod.py"}),
        ("CONFIG = {'class': 'pkg.mod.Handler'}", {"pkg/mod.py"}),
        ("import subprocess; subprocess.run(['python3', 'top.py'])", {"top.py"}),
        ("import boto3, json, os.path", set()),
        ("# -*- coding: latin-1 -*-\nimport top # \xe9".encode("latin-1"), {"top.py"}),
        ("\ufeffimport top".encode(), {"top.py"}),
        ("import json\nimport eval_it\nmodel.eval(); re.compile('a'); df.exec", set()),
    ],
)
def test_an_exact_import_leads_to_exactly_its_files(code: str | bytes, loaded: set[str]) -> None:
    files: dict[str, str | bytes] = {"src/app.py": code, "src/top.py": "", "src/other.py": "", "src/space/mod.py": ""}
    files |= {"src/pkg/__init__.py": "__all__ = ['listed', 'name']\nname = 1", "src/pkg/mod.py": ""}
    files |= {"src/pkg/listed.py": "", "src/pkg/other.py": ""}
    closure = python(files, "app.handler")
    implied = {"src/pkg/__init__.py", "src/pkg/listed.py"} if any("pkg" in each for each in loaded) else set()
    assert set(closure.files) == {"src/app.py", *implied, *(f"src/{each}" for each in loaded)}
    assert closure.unknown == ()


@pytest.mark.parametrize(
    "code",
    [
        "import importlib\nimportlib.import_module(name)",
        "import importlib as i\ni.import_module(name)",
        "from importlib import import_module\nload = import_module",
        "import importlib\ngetattr(importlib, 'import_module')('a')",
        "__import__(name)",
        "load = __import__",
        "exec(code)",
        "eval('a')",
        "import builtins\nbuiltins.exec(code)",
        "import sys\nsys.path.insert(0, 'vendor')",
        "from sys import path\npath.append('x')",
        "import os\nos.sys.path.append('x')",
        "from tools import importlib\nimportlib.util",
        "import sys\nsys.meta_path.append(x)",
        "import site\nsite.addsitedir('x')",
        "import pkgutil\nfor m in pkgutil.iter_modules(): ...",
        "from importlib.metadata import entry_points\nentry_points()",
        "import importlib.util\nimportlib.util.spec_from_file_location('a', b)",
        "from importlib.machinery import SourceFileLoader\nSourceFileLoader('a', b)",
        "import pkg_resources",
        "import django",
        "import pickle\npickle.loads(data)",
        "import runpy\nrunpy.run_path(x)",
        "from werkzeug.utils import import_string\nimport_string(name)",
        "import logging.config\nlogging.config.dictConfig(load())",
        "from .generated import thing",
        "import pkg.generated",
        "print 'python 2'",
        "type X[T] = list[T]\nmatch x:\n  case",
        b"\xff\xfe\x00",
        b"a = 1\x00",
        "# coding: rot13\nvzcbeg gbc",
        "(" * 5000,
        "-" * 100_000 + "1",
        "a" + ".b" * 100_000,
        "x = [" + "1," * 300_000 + "]",
    ],
)
def test_what_cannot_be_known_widens_to_the_directory_and_says_why(code: str | bytes) -> None:
    files = {"src/app.py": code, "src/pkg/__init__.py": "", "src/other.py": "import elsewhere", "top.py": ""}
    closure = python(files, "app.handler")
    assert closure.through("src/other.py") == ("src/app.py",)
    assert closure.through("top.py") is None
    assert closure.unknown[0].startswith("src/app.py line ")


def test_a_name_that_begins_with_a_package_widens_to_that_package_and_what_it_imports() -> None:
    files = {
        "src/app.py": "import importlib\nimportlib.import_module(f'plugins.{name}')",
        "src/plugins/a.py": "import lib",
    }
    closure = python({**files, "src/lib.py": "", "src/other.py": ""}, "app.handler")
    assert closure.through("src/lib.py") == ("src/plugins/a.py", "src/app.py")
    assert closure.through("src/plugins/new.py") == ("src/app.py",)
    assert closure.through("src/other.py") is None


def test_data_beside_the_code_belongs_to_who_reads_there_but_other_modules_do_not() -> None:
    files = {"src/app.py": "from pathlib import Path\nPath(__file__).parent", "src/README.md": "", "src/other.py": ""}
    closure = python(files, "app.handler")
    assert closure.through("src/README.md") == ("src/app.py",)
    assert closure.through("src/other.py") is None
    assert closure.unknown == ()
    assert "reads files that lie beside the code" in closure.widenings[0].span.reason


def test_a_module_that_hides_the_standard_librarys_is_everybodys() -> None:
    assert python({"src/app.py": "import json", "src/queue.py": "import x", "src/x.py": ""}, "app.handler").through(
        "src/x.py"
    ) == ("src/queue.py",)


def test_sitecustomize_is_everybodys() -> None:
    assert python({"src/app.py": "", "src/sitecustomize.py": ""}, "app.handler").through("src/sitecustomize.py") == ()


def test_a_thousand_reasons_are_told_in_twenty() -> None:
    code = "".join(f"from .gone{n} import x\nexec(a)\n" for n in range(1000))
    assert len(python({"src/app.py": code}, "app.handler").unknown) == 20


def test_requirements_are_followed_to_other_files_and_local_packages() -> None:
    files = {"src/app.py": "", "src/requirements.txt": "-r ../common.txt\nboto3==1.0 # x\n-e ../lib[extra]\n../../etc"}
    closure = python({**files, "common.txt": "-c src/constraints.txt\n", "lib/setup.py": ""}, "app.handler")
    assert closure.manifests == {"src/requirements.txt", "common.txt"}
    assert closure.through("lib/lib/x.py") == ()


def test_packages_modules_and_namespaces_hide_each_other_as_in_python() -> None:
    files = {"src/app.py": "import a, b.c", "src/a.py": "", "src/a/__init__.py": "", "src/b.py": "", "src/b/c.py": ""}
    assert set(python(files, "app.handler").files) == {"src/app.py", "src/a/__init__.py", "src/b.py"}


def test_further_folders_of_the_search_path_are_searched_in_order() -> None:
    files = {"src/app.py": "import a, b", "src/a.py": "", "lib/a.py": "", "lib/b.py": "from a import x"}
    assert set(python(files, "app.handler", search=("lib",)).files) == {"src/app.py", "src/a.py", "lib/b.py"}


def test_compiled_modules_cannot_be_read_and_widen() -> None:
    closure = python(
        {"src/app.py": "import fast", "src/fast.cpython-313-x86_64-linux-gnu.so": "", "src/o.py": ""}, "app.h"
    )
    assert closure.through("src/o.py") is not None
    assert closure.unknown == ("src/fast.cpython-313-x86_64-linux-gnu.so is not a text that shows what it imports",)


def test_links_are_followed_and_are_part_of_the_closure() -> None:
    files = {
        "src/app.py": "import common.util",
        "src/common": link("../shared"),
        "shared/util.py": "from . import more",
    }
    closure = python({**files, "shared/more.py": "", "src/loop": link("."), "src/gone": link("/etc")}, "app.handler")
    assert set(closure.files) == {"src/app.py", "shared/util.py", "shared/more.py"}
    assert "src/common" in closure.manifests


def test_a_link_that_leads_into_itself_ends() -> None:
    files = {"src/app.py": "from loop import app", "src/loop": link("."), "src/circle": link("circle")}
    assert "src/app.py" in python(files, "app.handler").files


def test_circles_end() -> None:
    assert set(python({"src/a.py": "import b", "src/b.py": "import a, b"}, "a.handler").files) == {
        "src/a.py",
        "src/b.py",
    }


def test_a_submodule_is_no_code_of_this_repository() -> None:
    files = {"src/app.py": "from . import x", "src/vendor": submodule("0" * 40)}
    assert python(files, "app.handler").unknown == ()


def test_an_analysis_that_was_kept_is_not_made_again() -> None:
    files = {"src/app.py": "from lib import x", "src/lib.py": "exec(a)", "src/x.py": ""}
    kept = KeptAnalyses()
    first = closures(files, SRC, [Start("app.handler")], kept)
    keys = set(kept.kept)
    assert len(keys) == 3
    assert closures(files, SRC, [Start("app.handler")], kept) == first
    assert set(kept.kept) == keys
    assert all(key.startswith(python_source.KEY) for key in keys)
