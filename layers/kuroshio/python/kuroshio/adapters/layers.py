"""This package as a Lambda layer, for zip functions of others."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kuroshio
from kuroshio.adapters import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda.literals import RuntimeType

_RUNTIMES: tuple[RuntimeType, ...] = ("python3.11", "python3.12", "python3.13", "python3.14")
_FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # that a zip can name
_READABLE = 0o100644 << 16


@dataclass(frozen=True)
class Layer:
    """A version of the layer; ``is_new`` where this call made it."""

    arn: str
    description: str
    is_new: bool


def contents() -> dict[str, bytes]:
    """What the layer holds, by path: the package as it is installed here, without byte code and without dependencies."""
    package = Path(kuroshio.__file__).parent
    found = (path for path in sorted(package.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {f"python/kuroshio/{path.relative_to(package).as_posix()}": path.read_bytes() for path in found}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The layer's zip, readable by whatever user Lambda runs a function as."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _FIRST_MOMENT)
            entry.external_attr, entry.compress_type = _READABLE, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def published(name: str, files: Mapping[str, bytes]) -> Layer:
    """The layer's newest version, which holds these files: made, unless it is there already.

    Raises AccessRefused, ServiceUnavailable, RequestRefused.
    """
    description = f"kuroshio {kuroshio.__version__}, sha256:{_digest(files)}"
    with aws.translated(f"publishing the layer {name}"):
        versions = aws.client("lambda").list_layer_versions(LayerName=name, MaxItems=1)["LayerVersions"]
        if versions and versions[0].get("Description") == description:
            return Layer(versions[0]["LayerVersionArn"], description, is_new=False)
        made = aws.client("lambda").publish_layer_version(
            LayerName=name,
            Description=description,
            Content={"ZipFile": zipped(files)},
            CompatibleRuntimes=_RUNTIMES,
            CompatibleArchitectures=["arm64", "x86_64"],
            LicenseInfo="Apache-2.0",
        )
    return Layer(made["LayerVersionArn"], description, is_new=True)


def _digest(files: Mapping[str, bytes]) -> str:
    """Of names and contents, not of the zip: what zlib makes of equal bytes depends on its version."""
    whole = hashlib.sha256()
    for path, content in sorted(files.items()):
        whole.update(f"{path}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()
