"""Observe what Mackerel holds, and carry a plan out; what Mackerel says against it becomes an error that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.errors import AccessRefused, KuroshioError, RequestRefused, ServiceUnavailable
from kuroshio.mackerel.definitions.comparison import NOTE, Action, Observed
from kuroshio.mackerel.definitions.marks import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kuroshio.mackerel.definitions.comparison import Step
    from kuroshio.mackerel.ports import Answer, Api

_NOT_FOUND = 404
_GONE_BEFORE = {"graph definition": (400, 404)}  # Mackerel answers 400 for one that it does not know


def observe(api: Api, service: str) -> Observed:
    """What there is. Raises ServiceUnavailable, AccessRefused, RequestRefused."""
    services = frozenset(entry["name"] for entry in _asked(api, "/services")["services"])
    is_there = service in services
    roles = _asked(api, f"/services/{service}/roles")["roles"] if is_there else []
    note = _asked(api, f"/services/{service}/metadata/{NOTE}", absent={}) if is_there else {}
    monitors = tuple(_asked(api, "/monitors")["monitors"])
    boards = tuple(_whole(api, entry, service) for entry in _asked(api, "/dashboards")["dashboards"])
    noted = dict(note.get("graphDefinitions", {}))
    return Observed(services, frozenset(entry["name"] for entry in roles), monitors, boards, noted)


def carry_out(api: Api, steps: Sequence[Step], done: Callable[[Step], None]) -> None:
    """Do the steps in their order, telling of each. Raises at the first that fails; the plan can be made and done again."""
    for step in steps:
        answer = api.call(step.call.method, step.call.path, step.call.body)
        is_gone = step.action is Action.DELETE and answer.status in _GONE_BEFORE.get(step.kind, (_NOT_FOUND,))
        if not _is_success(answer) and not is_gone:
            raise _meaning(answer, f"{step.action} the {step.kind} {step.name!r}")
        done(step)


def _whole(api: Api, entry: dict[str, Any], service: str) -> dict[str, Any]:
    """Ours with its widgets, which the list may lack."""
    if key_of(entry, "dashboard", service) is None:
        return entry
    found: dict[str, Any] = _asked(api, f"/dashboards/{entry['id']}")
    return found


def _asked(api: Api, path: str, absent: Any = None) -> Any:
    answer = api.call("GET", path)
    if answer.status == _NOT_FOUND and absent is not None:
        return absent
    if not _is_success(answer):
        raise _meaning(answer, f"read {path}")
    return answer.document


def _is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300 and isinstance(answer.document, dict)  # noqa: PLR2004


def _meaning(answer: Answer, doing: str) -> KuroshioError:
    said = f"could not {doing}: HTTP {answer.status}: {answer.message or 'no message'}"
    match answer.status:
        case 0:
            return ServiceUnavailable(f"could not {doing}: Mackerel did not answer ({answer.message}); run it again")
        case 401:
            return AccessRefused(f"{said}. Mackerel does not know this API key; the organization's settings list them")
        case 403:
            advice = "The key needs read and write permission, and the organization must allow this address"
            return AccessRefused(f"{said}. {advice}; a limit of the organization's plan is answered so, too")
        case 429:
            return ServiceUnavailable(f"{said}. Too many requests in this minute; run it again in the next")
        case status if status >= 500 or status < 300:  # noqa: PLR2004
            return ServiceUnavailable(f"{said}. Mackerel, or what is between here and there, fails; run it again later")
        case _:
            return RequestRefused(said)
