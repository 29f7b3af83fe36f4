"""From what is there to what shall be: the changes, in an order in which nothing that runs today is ever without its task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kuroshio.errors import InvalidRequest
from kuroshio.tasks.reconcile import normal
from kuroshio.tasks.reconcile.account import DIGEST, ENVIRONMENT, TASK
from kuroshio.tasks.reconcile.changes import Action, Change
from kuroshio.tasks.reconcile.desired import WantedSchedule, WantedWindow, wanted
from kuroshio.tasks.reconcile.windows import changes_of, likest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.tasks.declaration.model import Declaration
    from kuroshio.tasks.reconcile.account import Account, Window
    from kuroshio.tasks.reconcile.desired import Place, Wanted

_HOUR = timedelta(hours=1)


def compare(declared: Declaration, there: Account, place: Place, now: datetime) -> tuple[Change, ...]:
    """What has to change. First everything that makes, then everything that removes.

    Tasks that are refused keep what they have, but for windows whose only time is over. Raises InvalidRequest for a file of
    which something is wrong outside of its tasks: nobody knows what it should have said of them.
    """
    if declared.problems:
        raise InvalidRequest(f"{declared.file} is not to be applied: {declared.problems[0]}")
    shall = {task.name: wanted(task, place) for task in declared.tasks}
    windows = there.windows_of(place.environment)
    kept = {name: likest(each, windows[name]) for name, each in shall.items() if _is_window(each) and name in windows}
    making = [change for each in shall.values() if each for change in _making(each, kept, there, place)]
    removing = [
        *_removed_windows(windows, {name: window.id for name, window in kept.items()}, shall, declared, now),
        *_removed_schedules(there, shall, declared),
    ]
    return (*making, *removing)


def _is_window(each: Wanted | None) -> bool:
    return isinstance(each, WantedWindow)


def _making(each: Wanted, kept: Mapping[str, Window], there: Account, place: Place) -> Iterator[Change]:
    if isinstance(each, WantedSchedule):
        yield from _schedule(each, there)
    elif each.name in kept:
        yield from changes_of(each, kept[each.name])
    else:
        tags = {ENVIRONMENT: place.environment, TASK: each.name, DIGEST: each.digest}
        # CreateMaintenanceWindow cannot make one that is disabled.
        fields = {name: value for name, value in each.window.items() if name != "Enabled"}
        yield Change(Action.CREATE_WINDOW, each.name, "the file has it and AWS has not", {**fields, "Tags": tags})
        if not each.window["Enabled"]:
            yield Change(Action.UPDATE_WINDOW, each.name, "the file disables it", each.window)
        if each.target is not None:
            yield Change(Action.REGISTER_TARGET, each.name, "of the new window", each.target)
        target = None if each.target is None else ""
        yield Change(Action.REGISTER_TASK, each.name, "of the new window", each.task, target=target)


def _schedule(each: WantedSchedule, there: Account) -> Iterator[Change]:
    found = there.schedules.get(each.name)
    if found is None:
        yield Change(Action.CREATE_SCHEDULE, each.name, "the file has it and AWS has not", each.schedule)
        return
    shall, is_now = normal.schedule(each.schedule), normal.schedule(found)
    if shall != is_now:
        by_hand = shall.get("Description") == is_now.get("Description")
        yield Change(
            Action.UPDATE_SCHEDULE, each.name, normal.told(is_now, shall, by_hand=by_hand), each.schedule, id=each.name
        )


def _removed_windows(
    windows: Mapping[str, list[Window]],
    kept: Mapping[str, str],
    shall: Mapping[str, Wanted | None],
    declared: Declaration,
    now: datetime,
) -> Iterator[Change]:
    for name, those in windows.items():
        for window in those:
            if window.id == kept.get(name):
                continue
            if name in shall:
                reason = "it is there twice" if name in kept else "the task is no longer a window"
            elif _is_over(str(window.fields.get("Schedule")), int(window.fields.get("Duration") or 0), now):
                reason = "its only time is over"
            elif name in declared.refused:
                continue
            else:
                reason = "the file has it no more"
            yield Change(Action.DELETE_WINDOW, name, reason, window=window.id)


def _removed_schedules(there: Account, shall: Mapping[str, Wanted | None], declared: Declaration) -> Iterator[Change]:
    for name in there.schedules:
        if isinstance(shall.get(name), WantedSchedule):
            continue
        if name in shall:
            reason = "a window begins its runs" if shall[name] else "other tasks begin its runs"
        elif name in declared.refused:
            # A single time's schedule removes itself (ActionAfterCompletion), after the last attempt to deliver it.
            continue
        else:
            reason = "the file has it no more"
        yield Change(Action.DELETE_SCHEDULE, name, reason, id=name)


def _is_over(expression: str, hours: int, now: datetime) -> bool:
    """Whether a window's single time, and all of its length, have passed. It is in UTC: we wrote it so."""
    text = normal.window({"Schedule": expression})["Schedule"]
    if not text.startswith("at("):
        return False
    at = datetime.fromisoformat(text[3:-1]).replace(tzinfo=UTC)
    return at + hours * _HOUR < now
