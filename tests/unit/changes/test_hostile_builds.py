"""Build files of a hostile pull request: whatever they hold, reading them ends with an answer or with "not understood"."""

from __future__ import annotations

from contextlib import suppress

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from kuroshio.changes.dockerfile.lines import NotUnderstood
from kuroshio.changes.dockerfile.stages import read
from kuroshio.changes.relations.files import Texts
from kuroshio.changes.relations.gradle import Gradle
from kuroshio.changes.relations.makefile import Makefiles
from kuroshio.changes.relations.maven import Maven
from tests.fakes.repository import MemoryRepository

DOCKER = [
    "FROM scratch",
    "FROM s AS",
    "ARG A=",
    "ENV A ",
    "COPY ",
    "ADD ",
    "RUN --mount=",
    "ONBUILD ",
    "type=bind,source=",
    "--from=0 ",
]
DOCKER += [
    "<<EOF",
    "EOF",
    "\\",
    "`",
    "# escape=`",
    "# syntax=",
    '["a", "b"]',
    "[",
    "$A",
    "${A:-",
    "${A",
    "}",
    "'",
    '"',
    "*",
    "..",
    "\ufeff",
    "\0",
    "²",
]
GRADLE = [
    "include ",
    "project(",
    "':a:b'",
    '"$x"',
    ".projectDir = ",
    "file(",
    "apply from: ",
    "projects.a.b",
    "rootDir",
    "'''",
    "/*",
    "*/",
    "//",
    "{",
    "}",
    ")",
    "../",
]
MAKE = [
    "build-F:",
    "\t",
    "\n",
    "include ",
    "X = ",
    "$(X)",
    "$(",
    ")",
    "${X}",
    "$$",
    "../",
    "cd ",
    "$(shell ",
    "$(dir ",
    "\\",
    "%",
    "#",
    "ifeq (",
    ";",
]
MAVEN = [
    "<project>",
    "</project>",
    "<dependency>",
    "</dependency>",
    "<artifactId>",
    "</artifactId>",
    "a",
    "${a}",
    "<parent>",
    "</parent>",
    "<!DOCTYPE a>",
    '<?xml version="1.0" encoding="utf-16"?>',
    "&lt;",
    "&x;",
    "<a:b xmlns:a='c'/>",
]


def text(*pieces: str) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(st.sampled_from([*pieces, " ", "\n"]), st.text(max_size=3)), max_size=40).map("".join)


def texts(**files: str) -> Texts:
    repository = MemoryRepository()
    tree = {
        path.replace("__", "/").replace("_dot_", "."): content.encode("utf-8", "replace")
        for path, content in files.items()
    }
    commit = repository.make_commit(tree)
    return Texts(repository.tree(commit), repository, {})


@settings(max_examples=300, deadline=None)
@given(content=text(*DOCKER).map(lambda each: each.encode("utf-8", "replace")) | st.binary(max_size=200))
def test_a_dockerfile_is_read_or_not_understood(content: bytes) -> None:
    with suppress(NotUnderstood):
        for source in read(content, "", {"A": "x"}).sources:
            assert ".." not in source.parts


@settings(max_examples=200, deadline=None)
@given(settings_text=text(*GRADLE), script=text(*GRADLE))
def test_a_gradle_build_is_read(settings_text: str, script: str) -> None:
    found = Gradle(texts(settings_dot_gradle=settings_text, a__build_dot_gradle=script, b__build_dot_gradle=script))
    assert all(each.path != "a" for each in found.relations("a"))


@settings(max_examples=200, deadline=None)
@given(pom=text(*MAVEN), other=text(*MAVEN))
def test_a_pom_is_read(pom: str, other: str) -> None:
    found = Maven(texts(a__pom_dot_xml=pom, b__pom_dot_xml=other))
    assert {each.path for each in found.relations("a")} <= {"a", "b", "b/pom.xml"}


@settings(max_examples=200, deadline=None)
@given(makefile=text(*MAKE))
def test_a_makefile_is_read(makefile: str) -> None:
    found, doubt = Makefiles(texts(a__Makefile=makefile, x="1")).relations("a/Makefile", "build-F", ["a"])
    assert {each.path for each in found} <= {"", "x"}
    assert not doubt or "line" in doubt


@pytest.mark.parametrize("encoding", ["utf-16", "euc-jp", "nonsense"])
def test_a_pom_that_names_another_encoding_is_read_as_text(encoding: str) -> None:
    pom = f'<?xml version="1.0" encoding="{encoding}"?><project><dependencies><dependency><artifactId>b</artifactId></dependency></dependencies></project>'
    found = Maven(texts(a__pom_dot_xml=pom, b__pom_dot_xml="<project><artifactId>b</artifactId></project>"))
    assert [each.path for each in found.relations("a")] == ["b"]
