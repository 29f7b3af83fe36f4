"""Byte code of many modules in one file: an import becomes one read, where Python's own finder makes several per module.

The file, written by functions/build/bundle_modules.py while an image is built: MAGIC, 8 bytes with the length of the
index, the index (marshalled: name -> offset, length, path of the source, whether it is a package), then the code objects.
Loaders stay those of source files: only where the code comes from is different, so that `inspect`, tracebacks and
`importlib.resources` see what they always see. What is not in the file is imported as usual.
"""

import marshal
import os
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import CodeType

    Entry = tuple[int, int, str, bool]

# Byte code is of one version of Python only: a file of another one is not for us.
MAGIC: bytes = b"KUROSHIO" + MAGIC_NUMBER
_LENGTH = 8


class Bundle:
    """A finder for ``sys.meta_path``. Raises ValueError where the file is not a bundle of this Python, or OSError."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        head = os.pread(self._file, len(MAGIC) + _LENGTH, 0)
        if not head.startswith(MAGIC) or len(head) != len(MAGIC) + _LENGTH:
            os.close(self._file)
            raise ValueError(f"{path} is not a bundle of this Python's byte code")
        length = int.from_bytes(head[len(MAGIC) :], "big")
        self._start = len(head) + length
        self._index: dict[str, Entry] = marshal.loads(os.pread(self._file, length, len(head)))  # noqa: S302 - our own file

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        """Describe a module that is in the file; None leaves it to the finders behind this one."""
        entry = self._index.get(name)
        if entry is None:
            return None
        offset, length, source, is_package = entry
        loader = _Loader(name, source, self._file, self._start + offset, length)
        folders = [source.rpartition("/")[0]] if is_package else None
        return spec_from_file_location(name, source, loader=loader, submodule_search_locations=folders)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, source: str, file: int, offset: int, length: int) -> None:
        super().__init__(name, source)
        self._place = file, length, offset

    def get_code(self, _name: str) -> "CodeType":
        code: CodeType = marshal.loads(os.pread(*self._place))  # noqa: S302 - our own file
        return code
