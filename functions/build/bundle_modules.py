"""Put the byte code of all that the functions import into one file; runs once, while the image is built.

usage: python3 -I -S bundle_modules.py OPERATIONS.json OUT, with the image's /opt and /var/task in place

What belongs into it is found by importing: every handler, every module of ours, the clients of the declared services,
Powertools' logger and metrics. A module that is missing is imported as usual, only slower.
"""

from __future__ import annotations

import importlib
import json
import marshal
import os
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

OPT, TASK = Path("/opt"), Path("/var/task")


def main(operations: Path, out: Path) -> None:
    """Import what functions import, and write its byte code to ``out``."""
    sys.path[:0] = [str(TASK), str(OPT / "python"), str(OPT)]
    import_all(json.loads(operations.read_text()))
    modules = {name: found for name in sorted(sys.modules) if (found := byte_code(name))}
    write(out, modules)
    sys.stdout.write(f"{len(modules)} modules, {out.stat().st_size:,} bytes\n")


def import_all(services: dict[str, list[str]]) -> None:
    """Import all that a function of ours can need until it answers."""
    os.environ.update(AWS_DEFAULT_REGION="us-east-1", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")  # noqa: S106
    for name in [*ours(), "aws_lambda_powertools.logging", "aws_lambda_powertools.metrics"]:
        importlib.import_module(name)
    session = importlib.import_module("botocore.session").get_session()
    for service in services:
        session.create_client(service)


def ours() -> Iterator[str]:
    """Every handler, and every module of the layer."""
    for handler in sorted(TASK.glob("*/handler.py")):
        yield f"{handler.parent.name}.handler"
    kuroshio = importlib.import_module("kuroshio")
    yield from (module.name for module in pkgutil.walk_packages(kuroshio.__path__, "kuroshio."))


def byte_code(name: str) -> tuple[CodeType, str, bool] | None:
    """The code of an imported module, its source's path and whether it is a package; None for built-in and frozen ones."""
    spec = getattr(sys.modules[name], "__spec__", None)
    if spec is None or spec.name != name or not spec.has_location or not str(spec.origin).endswith(".py"):
        return None
    if Path(spec.origin).is_relative_to(OPT / "kuroshio_runtime") or not hasattr(spec.loader, "get_code"):
        return None
    return spec.loader.get_code(name), spec.origin, spec.submodule_search_locations is not None


def write(out: Path, modules: dict[str, tuple[CodeType, str, bool]]) -> None:
    """Write the file that kuroshio_runtime.bundled reads; its format is described there."""
    magic = importlib.import_module("kuroshio_runtime.bundled").MAGIC
    index, codes, offset = {}, [], 0
    for name, (code, source, is_package) in modules.items():
        codes.append(marshal.dumps(code))
        index[name] = (offset, len(codes[-1]), source, is_package)
        offset += len(codes[-1])
    written = marshal.dumps(index)
    out.write_bytes(b"".join([magic, len(written).to_bytes(8, "big"), written, *codes]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
