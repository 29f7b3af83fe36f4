"""Says where in an answer stands what JSON cannot carry. Loaded only when an answer was refused."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEEPEST = 400
KEYS = (str, int, float, bool, type(None))


class Found(Exception):  # noqa: N818
    """The first thing that JSON cannot carry."""


def why_not_json(value: "Any", error: Exception) -> str:
    """A sentence with the JSON path of the first offender, such as ``$.items[3].when is a datetime``."""
    try:
        _walk(value, "$", ())
    except Found as found:
        return str(found)
    except Exception:  # noqa: BLE001, S110 - the handler's own containers may raise; the encoder's message stands
        pass
    return f"{type(error).__name__}: {error}"


def _walk(value: "Any", path: str, parents: "tuple[int, ...]") -> None:
    if isinstance(value, dict | list | tuple):
        if id(value) in parents:
            raise Found(f"{path} contains itself: a document without end")
        if len(parents) > DEEPEST:
            raise Found(f"{path[:200]}... is nested deeper than {DEEPEST} levels")
        inner = (*parents, id(value))
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            _walk(item, _step(value, path, key), inner)
    elif isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN differs from itself
            raise Found(f"{path} is {value}, which is not JSON: use null or a string")
    elif not isinstance(value, str | int | None):
        _refuse(value, path)


def _step(container: "Any", path: str, key: "Any") -> str:
    if not isinstance(container, dict):
        return f"{path}[{key}]"
    if not isinstance(key, KEYS):
        raise Found(f"{path} has the key {key!r:.60}, a {type(key).__name__}: keys of JSON objects are strings")
    return f"{path}.{key}" if isinstance(key, str) and key.isidentifier() else f"{path}[{key!r:.60}]"


def _refuse(value: "Any", path: str) -> None:
    from kuroshio_runtime.wire import _default

    try:
        _default(value)
    except TypeError:
        kind = type(value).__name__
        hint = "more digits than a JSON number keeps" if kind == "Decimal" else "which JSON cannot carry"
        raise Found(f"{path} is a {kind}, {hint}: convert it, for instance with str()") from None
