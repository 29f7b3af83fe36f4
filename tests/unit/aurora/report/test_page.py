"""The report shows every record, and takes every name for data."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from kuroshio.aurora.report import markdown, page
from kuroshio.aurora.report.records import Records
from kuroshio.aurora.report.sections import composed
from tests.fakes import aurora_records as known

NOW = known.BEGAN + timedelta(days=1, hours=2)
VOID = {"br", "circle", "line", "meta", "polygon", "polyline", "rect"}
OURS = VOID | set(
    re.findall(
        r"\w+",
        "html head title style body div header h1 h2 p ul li i a nav main section table caption thead tbody tr th td code"
        " details summary pre figure svg g text span footer",
    )
)
HOSTILE = (
    "</td><script>alert(1)</script><img src=x onerror=alert(2)>\"'&`|*_[x](javascript:1)\u202e\x1b[31m\ud800 # ```"
)


class Page(HTMLParser):
    """The page as a browser takes it: which elements, with which attributes, and the text of each cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def shown(records: Records) -> Page:
    return Page(page.written(composed(records, NOW)))


def with_hostile(value: Any) -> Any:
    """The same record with every text that a database or a person could have chosen made hostile."""
    if isinstance(value, dict):
        kept = {
            "at",
            "phase",
            "severity",
            "proof",
            "kind",
            "step",
            "began",
            "told_at",
            "asked_at",
            "answered_at",
            "schema",
            "policy",
            "answer",
            "name",
            "result",
            "direction",
        }
        return {name: each if name in kept else with_hostile(each) for name, each in value.items()}
    if isinstance(value, list):
        return [with_hostile(each) for each in value]
    return f"{value}{HOSTILE}" if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("state", "skip up to 3 of 1062, 1032"),
        ("preflight", "the longest transaction could not be read"),
        ("seed", "Binlog position from crash recovery is mysql-bin-changelog.000041 48213"),
        ("events", "The account was removed"),
        ("lags", "highest: 5.59 GiB"),
        ("skips", "INSERT INTO `shop`.`log` VALUES (88, 'started')"),
        ("verifications", "Proven equal: 0 differences"),
        ("approvals", "shop-2 (reader) restarts with it"),
        ("cutovers", "23.806 ms"),
    ],
)
def test_every_kind_of_record_is_in_the_page_and_in_the_markdown_and_only_because_of_its_record(
    kind: str, said: str
) -> None:
    whole = known.whole()
    without = replace(whole, **{kind: type(getattr(whole, kind))()})
    assert said in shown(whole).text
    assert said not in shown(without).text
    plain = re.sub(r"&#(\d+);", lambda code: chr(int(code[1])), markdown.written(composed(whole, NOW)))
    assert said.removeprefix("highest: ") in plain


def test_the_kinds_that_are_judged_here_are_all_that_there_are() -> None:
    judged = {
        "state",
        "preflight",
        "seed",
        "check",
        "events",
        "lags",
        "skips",
        "verifications",
        "approvals",
        "cutovers",
    }
    assert {each.name for each in fields(Records)} == judged | {"clone"}


def test_a_cut_over_that_was_only_rehearsed_shows_what_did_not_hold() -> None:
    check = {
        "at": known.at(1_400),
        "conditions": known.whole().cutovers[0]["conditions"]
        + [{"name": "events-off", "holds": False, "reason": "they run"}],
    }
    text = shown(replace(known.whole(), cutovers=[], check=check)).text
    assert "Nothing was switched. 1 of 3 conditions did not hold at 2026-11-21 08:20:00." in text
    assert "events-off\ndoes not hold\nthey run" in text
    assert "events-off" not in shown(replace(known.whole(), check=check)).text


def test_who_asked_and_who_approved_stands_beside_when() -> None:
    text = shown(known.whole()).text
    assert "kenji@example.com (operator)\nagreed in the morning meeting" in text
    assert "2026-11-21 10:11:00" in text


def test_the_cut_over_is_told_step_by_step_to_the_microsecond() -> None:
    text = shown(known.whole()).text
    for step, took in (
        ("fenced", "4.218"),
        ("reached", "5.659"),
        ("decided", "3.525"),
        ("moved", "6.149"),
        ("opened", "4.255"),
    ):
        assert f"{step}\n{took} ms" in text


def test_differing_keys_are_named_with_their_tables() -> None:
    differing = replace(known.whole(), verifications=[known.verification(276, "full", differing=2)])
    assert "shop.orders\n4711\nhas other values" in shown(differing).text


def test_names_out_of_databases_are_text_and_nothing_else() -> None:
    """An identifier, a key or a message may hold anything: the page has the same elements and attributes as without it."""
    tame = shown(known.whole())
    given = {each.name: with_hostile(getattr(known.whole(), each.name)) for each in fields(Records)}
    wild = shown(Records(**given))
    assert wild.elements == tame.elements <= OURS
    assert wild.attributes == tame.attributes
    assert not {"src", "onerror", "onload", "style"} & wild.attributes
    assert "<script>alert(1)</script>" in wild.text
    assert not {"\u202e", "\x1b", "\ud800"} & set(wild.text)


def test_markdown_makes_no_table_row_heading_link_or_html_of_a_name() -> None:
    given = {each.name: with_hostile(getattr(known.whole(), each.name)) for each in fields(Records)}
    tame, wild = (markdown.written(composed(each, NOW)) for each in (known.whole(), Records(**given)))
    for form in (r"^\|", r"^#", r"^- ", r"^    "):
        assert len(re.findall(form, wild, re.MULTILINE)) == len(re.findall(form, tame, re.MULTILINE)), form
    columns = [line.count("|") for line in tame.splitlines() if line.startswith("|")]
    assert [line.count("|") for line in wild.splitlines() if line.startswith("|")] == columns
    outside = "\n".join(re.sub(r"`[^`]*`", "", line) for line in wild.splitlines() if not line.startswith("    "))
    assert not re.search(r"<(?!br>)|\]\(|@", outside)


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    html = page.written(composed(known.whole(), NOW))
    assert [
        word for word in ("http://", "https://", "<script", "@import", "url(", "src=", "javascript:") if word in html
    ] == []
    assert "default-src 'none'" in html.replace("&#x27;", "'")


def test_a_clone_of_which_nothing_is_known_but_its_name_has_a_report_that_says_so() -> None:
    text = shown(Records("shop-next")).text
    assert "Nothing was compared: whether the clone equals its source is not known." in text
    assert "How far behind the clone was is not in the ledger." in text
    assert "No preflight is in the ledger" in text


@pytest.mark.parametrize(
    "odd", [None, [], "a text", 7, {"tables": "no list", "findings": [3], "steps": [None], "at": 5, "asked": {}}]
)
def test_records_of_another_form_than_ours_never_stop_a_report(odd: Any) -> None:
    """Another version wrote them, or somebody's script: what can be read of them is shown."""
    record = odd if isinstance(odd, dict) else {"odd": odd}
    many = {each.name: [record] for each in fields(Records) if "list" in str(each.type)}
    assert many.keys() >= {"events", "lags", "cutovers"}
    shown(Records("shop-next", {"request": odd, "phase": "unheard-of"}, record, record, record, **many))
    markdown.written(composed(Records("shop-next", record, record, record, record, **many), NOW))


def test_thousands_of_events_are_shortened_and_no_trouble_among_them_is_lost() -> None:
    calm = [{"phase": ("following", "caught-up")[n % 2], "at": known.at(n)} for n in range(5_000)]
    calm[2_500] = {"phase": "failed", "error": "NotCaughtUp", "at": known.at(2_500)}
    found = shown(replace(known.whole(), events=calm))
    assert "NotCaughtUp" in found.text
    assert "more are in the ledger" in found.text
    assert len(json.dumps(found.texts)) < 300_000
