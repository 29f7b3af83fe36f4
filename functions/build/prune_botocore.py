"""Cut botocore's data down to the operations that the functions call; runs once, while the image is built.

usage: prune_botocore.py OPERATIONS.json BOTOCORE_DATA

botocore describes every operation of some 440 services in 30 MB. Making a client parses the whole description of its
service and lists all their folders, at every cold start. What is left signs and sends the very same requests
(tests/images/test_pruning.py); an operation that is missing fails with AttributeError in the first test that calls it.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from collections import deque
from pathlib import Path
from typing import Any

# Read by every session or client, whatever the service.
_SHARED = frozenset({"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"})


def prune(data: Path, operations: dict[str, list[str]]) -> None:
    """Leave in ``data`` only the named operations, and for each service its newest version.

    Raises KeyError with the name of a service or operation that botocore does not know.
    """
    for entry in list(data.iterdir()):
        if entry.is_dir() and entry.name not in operations:
            shutil.rmtree(entry)
        elif entry.is_file() and entry.name.removesuffix(".gz") not in _SHARED:
            entry.unlink()
    prefixes = {_prune_service(data / service, set(named)) for service, named in operations.items()}
    endpoints = _read(data, "endpoints.json")
    for partition in endpoints["partitions"]:
        kept = {name: found for name, found in partition["services"].items() if name in prefixes}
        partition["services"] = kept
    _write(data, "endpoints.json", endpoints)


def _prune_service(service: Path, operations: set[str]) -> str:
    if not service.is_dir():
        raise KeyError(f"botocore has no service {service.name}")
    newest, *older = sorted((path for path in service.iterdir() if path.is_dir()), reverse=True)
    for version in older:
        shutil.rmtree(version)
    model = _read(newest, "service-2.json")
    if unknown := operations - set(model["operations"]):
        raise KeyError(f"botocore's {service.name} has no operation {', '.join(sorted(unknown))}")
    model["operations"] = {name: model["operations"][name] for name in sorted(operations)}
    model["shapes"] = _reachable(model)
    _without_documentation(model)
    rules = _read(newest, "endpoint-rule-set-1.json")
    pages = _read(newest, "paginators-1.json")
    pages["pagination"] = {name: page for name, page in pages["pagination"].items() if name in operations}
    shutil.rmtree(newest)
    newest.mkdir()
    # Plain JSON: reading it costs less than gunzipping, and layers of an image are compressed anyway.
    _write(newest, "service-2.json", model)
    _write(newest, "endpoint-rule-set-1.json", rules)
    if pages["pagination"]:
        _write(newest, "paginators-1.json", pages)
    return str(model["metadata"]["endpointPrefix"])


def _reachable(model: dict[str, Any]) -> dict[str, Any]:
    """The shapes that the operations lead to. Their errors come along: clients make exception classes of them."""
    found: dict[str, Any] = {}
    waiting = deque(_names(model["operations"]))
    while waiting:
        name = waiting.popleft()
        if name not in found:
            found[name] = model["shapes"][name]
            waiting.extend(_names(found[name]))
    return {name: shape for name, shape in model["shapes"].items() if name in found}


def _names(node: Any) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _names(item)]
    if not isinstance(node, dict):
        return []
    own = [node["shape"]] if isinstance(node.get("shape"), str) else []
    return own + [name for value in node.values() for name in _names(value)]


def _without_documentation(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _without_documentation(item)
    elif isinstance(node, dict):
        if isinstance(node.get("documentation"), str):
            node["documentation"] = ""  # botocore reads the field of some nodes
        for value in node.values():
            _without_documentation(value)


def _read(folder: Path, name: str) -> Any:
    plain, packed = folder / name, folder / f"{name}.gz"
    return json.loads(gzip.decompress(packed.read_bytes()) if packed.exists() else plain.read_bytes())


def _write(folder: Path, name: str, document: Any) -> None:
    (folder / f"{name}.gz").unlink(missing_ok=True)
    (folder / name).write_text(json.dumps(document, separators=(",", ":")))


if __name__ == "__main__":
    prune(Path(sys.argv[2]), json.loads(Path(sys.argv[1]).read_text()))
