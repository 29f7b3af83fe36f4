"""The four DORA figures, each on histories that a person can follow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from kuroshio.release.dora import Figures, figures
from kuroshio.release.history import Deployment, begun

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHOP = "octo/shop#main"
HOUR, MINUTE = 3600, 60


def at(hours: float) -> datetime:
    """So many hours before now."""
    return NOW - timedelta(hours=hours)


def deployment(
    commit: str,
    began: float,
    *failing: str,
    merged: float | None = None,
    minutes: float | None = 10,
    units: tuple[str, ...] = ("cart", "mail"),
    digest: str = "",
    target: str = SHOP,
    reverts: tuple[str, ...] = (),
    commits: tuple[str, ...] = (),
) -> Deployment:
    done = {unit: digest and f"{unit}-{digest}" for unit in units if unit not in failing}
    ended = at(began) + timedelta(minutes=minutes) if minutes is not None else None
    merge = at(merged) if merged is not None else None
    live = done if ended else {}
    return Deployment(target, commit, at(began), units, merge, commits, reverts, ended, live)


def test_without_deployments_only_their_number_is_known() -> None:
    assert figures([], NOW) == Figures(0, None, None, None)


def test_lead_time_is_the_median_from_merge_to_live() -> None:
    history = [deployment("a", 30, merged=31), deployment("b", 20, merged=20.5), deployment("c", 10, merged=20)]
    assert figures(history, NOW) == Figures(3, HOUR + 10 * MINUTE, 0, None)


def test_a_commit_whose_deployment_failed_is_live_when_a_later_one_succeeded() -> None:
    history = [deployment("a", 30, "mail", merged=30), deployment("b", 20, merged=20)]
    found = figures(history, NOW)
    assert found.lead_time == (10 * HOUR + 20 * MINUTE) / 2
    assert (found.deployments, found.change_failure_rate) == (1, 50)
    assert found.time_to_restore == 10 * HOUR


def test_a_commit_that_is_deployed_again_counts_once() -> None:
    history = [deployment("a", 30, "mail", merged=30), deployment("a", 29, merged=30), deployment("a", 9, merged=30)]
    assert figures(history, NOW).lead_time == HOUR + 10 * MINUTE


def test_what_was_never_live_has_no_lead_time_and_a_failure_that_lasts_no_end() -> None:
    assert figures([deployment("a", 3, "cart", merged=4)], NOW) == Figures(0, None, 100, None)


def test_a_deployment_under_way_is_none_yet_and_one_that_was_cut_off_failed() -> None:
    under_way = deployment("b", 0.1, minutes=None)
    assert figures([deployment("a", 3), under_way], NOW) == Figures(1, None, 0, None)
    assert figures([deployment("a", 25, minutes=None)], NOW).change_failure_rate == 100
    overtaken = figures([deployment("a", 3, minutes=None), deployment("b", 2)], NOW)
    assert (overtaken.change_failure_rate, overtaken.time_to_restore) == (50, HOUR + 10 * MINUTE)


def test_a_revert_makes_the_deployment_that_brought_the_commit_a_failure() -> None:
    history = [deployment("a", 9, commits=("x", "a")), deployment("b", 6), deployment("c", 5, reverts=("x",))]
    found = figures(history, NOW)
    assert round(found.change_failure_rate or 0, 6) == round(100 / 3, 6)
    assert found.time_to_restore == 4 * HOUR


def test_bringing_a_unit_back_to_its_earlier_artifact_is_a_failure_of_what_was_between() -> None:
    history = [
        deployment("a", 9, digest="1"),
        deployment("b", 8, digest="2"),
        deployment("b", 7, digest="2"),  # the same again changes nothing
        deployment("c", 5, digest="1"),
    ]
    found = figures(history, NOW)
    assert (found.change_failure_rate, found.time_to_restore) == (25, 3 * HOUR)
    forward = [deployment(name, 9 - n, digest=name) for n, name in enumerate("abc")]
    assert figures(forward, NOW).change_failure_rate == 0
    unknown = [deployment(name, 9 - n) for n, name in enumerate("aba")]
    assert figures(unknown, NOW).change_failure_rate == 0


def test_a_revert_that_fails_itself_restores_nothing_until_a_deployment_succeeds() -> None:
    history = [deployment("a", 9), deployment("b", 8, "cart", reverts=("a",)), deployment("c", 6)]
    found = figures(history, NOW)
    assert round(found.change_failure_rate or 0, 6) == round(200 / 3, 6)
    assert found.time_to_restore == (3 * HOUR + 2 * HOUR) / 2


def test_targets_do_not_answer_for_each_other() -> None:
    history = [deployment("a", 9, "cart", merged=9), deployment("b", 8, target="octo/other#main", reverts=("a",))]
    assert figures(history, NOW) == Figures(1, None, 50, None)


def test_only_the_last_thirty_days_count_but_what_lies_before_is_known() -> None:
    day = 24
    old = [deployment("a", 31 * day, digest="1", merged=32 * day), deployment("b", 30.5 * day, "mail", digest="2")]
    assert figures(old, NOW) == Figures(0, None, None, None)
    found = figures([*old, deployment("c", 2 * day, merged=3 * day)], NOW)
    assert (found.deployments, found.change_failure_rate) == (1, 0)
    assert found.time_to_restore == 28.5 * day * HOUR  # a failure counts when it ends
    assert found.lead_time == day * HOUR + 10 * MINUTE


def test_the_order_in_which_records_are_read_does_not_matter() -> None:
    history = [
        deployment("a", 9, merged=10, digest="1"),
        deployment("b", 8, "cart", merged=9, digest="2"),
        deployment("c", 6, minutes=None),
        deployment("d", 5, merged=6, digest="1"),
    ]
    assert len({figures(order, NOW) for order in permutations(history)}) == 1


def test_a_push_says_when_it_was_merged_and_what_it_takes_back() -> None:
    sha, other = "a" * 40, "b" * 40
    event = {
        "after": "c",
        "commits": [{"id": "x", "message": f"Revert shop\n\nThis reverts commit {sha}."}, {"id": "c", "message": ""}],
        "head_commit": {"timestamp": "2026-11-21T20:00:00+09:00", "message": f"Merge\n\nThis reverts commit {other}."},
    }
    record = begun(event, SHOP, ("cart",), NOW)
    assert (record.merged, record.commits, record.reverts) == (at(1), ("x", "c"), (sha, other))
    assert Deployment.from_json(record.to_json()) == record
    bare = begun({"after": "c", "head_commit": {"timestamp": "yesterday"}}, SHOP, (), NOW)
    assert (bare.merged, bare.commits, bare.reverts) == (None, (), ())
