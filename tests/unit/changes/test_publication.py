"""From the request to the published plan: what the function detect_changes does."""

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kuroshio.adapters.journal import PowertoolsJournal
from kuroshio.changes.publication import Publication
from kuroshio.changes.rendering import markdown
from kuroshio.changes.request import parse
from kuroshio.changes.timing import Stopwatch
from kuroshio.errors import InvalidRequest, NotFound, RepositoryUnreadable
from tests.fakes.plans import MemoryBundles, MemoryJournal, MemoryNotes, MemoryPlans
from tests.fakes.repository import MemoryRepository

EVENTS = Path(__file__).parents[3] / "events" / "detect_changes"
TEMPLATE = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: src}}}"


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def a_request(base: str, head: str) -> dict[str, Any]:
    bundle = f"incoming/octo/shop/pr-12/{head}-{base}.bundle"
    request = {"schema": "kuroshio.detect-request/1", "repository": "octo/shop", "pull_request": 12}
    return request | {"base": base, "head": head, "bundle": bundle}


@pytest.fixture
def handed_in() -> tuple[Publication, dict[str, Any]]:
    """A pull request that changes one function, and what will publish its plan."""
    repository = MemoryRepository()
    base = repository.make_commit({"t.yaml": TEMPLATE, "src/a": "1"})
    request = a_request(base, repository.make_commit({"t.yaml": TEMPLATE, "src/a": "2"}, base))
    bundles = MemoryBundles({request["bundle"]: repository})
    return Publication(bundles, MemoryPlans(), MemoryJournal()), request


def test_the_answer_names_the_plan_and_what_it_comes_to(handed_in: tuple[Publication, dict[str, Any]]) -> None:
    publication, request = handed_in
    name = f"plans/octo/shop/pr-12/{request['head']}-{request['base']}"
    assert publication.publish(request) == {
        "plan": f"{name}.json",
        "report": f"{name}.md",
        "complete": True,
        "units": {"added": 0, "modified": 1, "removed": 0},
        "merge_base": request["base"],
    }
    assert json.loads(publication.plans.read(f"{name}.json"))["units"][0]["id"] == "t.yaml#F"
    assert publication.plans.read(f"{name}.md").decode().startswith(markdown.MARKER)


def test_asking_twice_gives_the_same_answer(handed_in: tuple[Publication, dict[str, Any]]) -> None:
    publication, request = handed_in
    assert publication.publish(request) == publication.publish(request)


def test_a_published_plan_is_told_of(handed_in: tuple[Publication, dict[str, Any]]) -> None:
    publication, request = handed_in
    answer = publication.publish(request)
    assert isinstance(publication.journal, MemoryJournal)
    assert publication.journal.told == [(answer["plan"], True)]


def test_what_one_request_found_out_serves_the_next(handed_in: tuple[Publication, dict[str, Any]]) -> None:
    publication, request = handed_in
    notes = MemoryNotes()
    answer = replace(publication, notes=notes).publish(request)
    ((repository, _), kept) = next(iter(notes.kept.items()))
    assert (repository, len(kept)) == ("octo/shop", 3)
    assert replace(publication, notes=notes).publish(request) == answer


def test_how_long_each_part_took_is_told(handed_in: tuple[Publication, dict[str, Any]]) -> None:
    publication, request = handed_in
    ticks = itertools.count()
    replace(publication, watch=Stopwatch(lambda: next(ticks))).publish(request)
    assert isinstance(publication.journal, MemoryJournal)
    told = publication.journal.seconds
    assert told.keys() == {
        *("in_all", "kept_analyses", "observe", "merge_base", "list", "diff", "read_and_analyse", "compare", "write"),
        "keep_analyses",
    }
    assert told["in_all"] == max(told.values()) == next(ticks) - 1


def test_a_second_request_is_timed_from_nothing(handed_in: tuple[Publication, dict[str, Any]]) -> None:
    publication, request = handed_in
    timed = replace(publication, watch=Stopwatch(lambda: 1))
    timed.watch.seconds["in_all"] = 99
    timed.publish(request)
    assert isinstance(publication.journal, MemoryJournal)
    assert publication.journal.seconds["in_all"] == 0


def test_a_commit_that_the_bundle_lacks_is_an_error_and_no_plan(handed_in: tuple[Publication, dict[str, Any]]) -> None:
    publication, request = handed_in
    with pytest.raises(NotFound):
        publication.publish(a_request("1" * 40, "2" * 40))
    lacking = a_request(request["base"], "2" * 40)
    bundles = MemoryBundles({lacking["bundle"]: MemoryRepository()})
    with pytest.raises(RepositoryUnreadable):
        Publication(bundles, publication.plans, publication.journal).publish(lacking)
    assert isinstance(publication.plans, MemoryPlans)
    assert publication.plans.objects == {}


def test_the_sample_event_is_a_request() -> None:
    assert parse(event("pull_request")).document() == event("pull_request")


def test_a_path_that_leaves_its_place_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"repository is 'example/\.\.'"):
        parse(event("path_traversal"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "kuroshio.detect-request/2"),
        ("schema", None),
        ("repository", "octo"),
        ("repository", "octo/shop/../x"),
        ("repository", "../shop"),
        ("repository", "octo/."),
        ("repository", "octo/shop\n"),
        ("repository", 7),
        ("pull_request", "12"),
        ("pull_request", 0),
        ("pull_request", True),
        ("pull_request", 2**31),
        ("base", "main"),
        ("base", "A" * 40),
        ("head", "--upload-pack=touch /tmp/x"),
        ("head", ""),
        ("bundle", None),
        ("bundle", "incoming/octo/other/pr-12/x.bundle"),
        ("bundle", "incoming/octo/shop/pr-12/../../../x"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field} is "):
        parse(a_request("1" * 40, "2" * 40) | {field: value})


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse({})
    for field in ("schema", "repository", "pull_request", "base", "head", "bundle"):
        assert f"{field} is missing" in str(refused.value)


@pytest.mark.parametrize("event", [None, [], "request", 7])
def test_what_is_no_object_is_no_request(event: object) -> None:
    with pytest.raises(InvalidRequest):
        parse(event)


def test_what_step_functions_adds_does_no_harm() -> None:
    given = a_request("1" * 40, "2" * 40)
    assert parse(given | {"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": "arn"}) == parse(given)


def test_an_executions_name_fits_and_tells_repositories_apart() -> None:
    one, other = parse(a_request("1" * 40, "2" * 40)), a_request("1" * 40, "2" * 40)
    other |= {"repository": "fork/shop", "bundle": other["bundle"].replace("octo", "fork"), "pull_request": 12}
    assert one.execution != parse(other).execution
    assert len(one.execution) <= 80


def test_an_operator_sees_how_long_the_parts_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "timed")  # Powertools keeps one log handler per service and process
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Kuroshio")
    request = parse(event("pull_request"))

    PowertoolsJournal().timed(request, {"fetch": 0.01234, "in_all": 1.5})

    line, metric = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (line["message"], line["plan"]) == ("plan timed", request.plan)
    assert line["milliseconds"] == {"fetch": 12.3, "in_all": 1500}
    assert metric["DetectionDuration"] == [1500]
