"""Modules from a bundle are the modules that they are without one."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
from kuroshio_runtime.bundled import MAGIC, Bundle

from functions.build.bundle_modules import write

NAMES = ("parcel", "parcel.inner")


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "parcel").mkdir()
    (tmp_path / "parcel/__init__.py").write_text('"""A package."""\nfrom parcel.inner import answer\n')
    (tmp_path / "parcel/inner.py").write_text("def answer():\n    return 42\n")
    yield tmp_path
    for name in NAMES:
        sys.modules.pop(name, None)


def bundle(sources: Path) -> Bundle:
    def code(path: str) -> CodeType:
        return compile((sources / path).read_text(), str(sources / path), "exec", dont_inherit=True)

    modules = {
        "parcel": (code("parcel/__init__.py"), str(sources / "parcel/__init__.py"), True),
        "parcel.inner": (code("parcel/inner.py"), str(sources / "parcel/inner.py"), False),
    }
    write(sources / "modules.bundle", modules)
    return Bundle(str(sources / "modules.bundle"))


def test_a_package_and_its_modules_are_imported_with_all_that_describes_them(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", [bundle(sources), *sys.meta_path])

    parcel = importlib.import_module("parcel")

    assert parcel.answer() == 42
    assert parcel.__file__ == str(sources / "parcel/__init__.py")
    assert list(parcel.__path__) == [str(sources / "parcel")]
    assert sys.modules["parcel.inner"].__package__ == "parcel"
    assert inspect.getsource(parcel.answer) == "def answer():\n    return 42\n"


def test_what_is_not_in_the_bundle_is_left_to_the_other_finders(sources: Path) -> None:
    assert bundle(sources).find_spec("json") is None


@pytest.mark.parametrize("content", [b"", b"KUROSHIO", MAGIC, b"KUROSHIO\0\0\0\0" + bytes(8), b"PK" + bytes(40)])
def test_a_file_that_is_no_bundle_of_this_python_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "modules.bundle").write_bytes(content)
    with pytest.raises(ValueError, match="not a bundle"):
        Bundle(str(tmp_path / "modules.bundle"))
