"""One window that is there, and what it shall be.

A target is changed in place where AWS can. A task's type cannot be changed, and a task cannot lose its targets: then the
new one is registered before the old one goes, or a run in between would find a window without a task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.tasks.reconcile import normal
from kuroshio.tasks.reconcile.account import DIGEST, targets_of
from kuroshio.tasks.reconcile.changes import Action, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kuroshio.tasks.reconcile.account import Window
    from kuroshio.tasks.reconcile.desired import Wanted, WantedWindow

_SURPLUS = "the file has one of it"


def likest(each: Wanted | None, those: Sequence[Window]) -> Window:
    """Of several windows of one task, the one that costs the fewest changes."""
    return min(those, key=lambda window: (len(list(changes_of(each, window))), window.id))  # type: ignore[arg-type]


def changes_of(shall: WantedWindow, there: Window) -> Iterator[Change]:
    """What has to change about a window."""
    by_hand = there.tags.get(DIGEST) == shall.digest

    def change(action: Action, reason: str, fields: Mapping[str, Any] | None = None, **more: str | None) -> Change:
        return Change(action, shall.name, reason, fields or {}, window=there.id, **more)  # type: ignore[arg-type]

    is_now, wanted = normal.window(there.fields), normal.window(shall.window)
    if is_now != wanted:
        yield change(Action.UPDATE_WINDOW, normal.told(is_now, wanted, by_hand=by_hand), shall.window)

    target, targets = _target(shall, there, by_hand=by_hand)
    yield from (change(each.action, each.reason, each.fields, id=each.id) for each in targets)

    task, tasks = _task(shall, there, target, by_hand=by_hand)
    yield from (change(each.action, each.reason, each.fields, id=each.id, target=target) for each in tasks)

    yield from (change(Action.DEREGISTER_TASK, _SURPLUS, id=each) for each in sorted(there.tasks) if each != task)
    yield from (change(Action.DEREGISTER_TARGET, _SURPLUS, id=each) for each in sorted(there.targets) if each != target)
    if not by_hand:
        # Last: until then the tag says that not all of this is done.
        yield change(Action.TAG_WINDOW, "it is as the file says now", {DIGEST: shall.digest})


def _target(shall: WantedWindow, there: Window, *, by_hand: bool) -> tuple[str | None, list[Change]]:
    """The target to keep (empty: a new one; None: none), and what is done about it."""
    if shall.target is None:
        return None, []
    wanted = normal.target(shall.target)
    found = {each: normal.target(fields) for each, fields in sorted(there.targets.items())}
    same = next((each for each, fields in found.items() if fields == wanted), None)
    if same:
        return same, []
    alike = next((each for each, fields in found.items() if fields["ResourceType"] == wanted["ResourceType"]), None)
    if alike is None:
        return "", [Change(Action.REGISTER_TARGET, shall.name, "the window has none like it", shall.target)]
    reason = normal.told(found[alike], wanted, by_hand=by_hand)
    return alike, [Change(Action.UPDATE_TARGET, shall.name, reason, shall.target, id=alike)]


def _task(shall: WantedWindow, there: Window, target: str | None, *, by_hand: bool) -> tuple[str | None, list[Change]]:
    """The task to keep (empty: a new one), and what is done about it."""
    wanted = normal.task({**shall.task, "Targets": [] if target is None else [target or "new"]})
    names = [] if target is None else [target]
    found = {each: normal.task(fields) for each, fields in sorted(there.tasks.items())}
    for each, fields in found.items():
        if fields == wanted and targets_of(there.tasks[each]) == names:
            return each, []
    for each, fields in found.items():
        if fields["TaskType"] == wanted["TaskType"] and bool(targets_of(there.tasks[each])) == (target is not None):
            told = normal.told(fields, wanted, by_hand=by_hand) if fields != wanted else ""
            moved = "it names another target" if targets_of(there.tasks[each]) != names else ""
            reason = "; ".join(filter(None, [told, moved]))
            return each, [Change(Action.UPDATE_TASK, shall.name, reason, shall.task, id=each)]
    reason = "its type cannot be changed: the new one comes first" if found else "the window has none"
    return "", [Change(Action.REGISTER_TASK, shall.name, reason, shall.task)]
