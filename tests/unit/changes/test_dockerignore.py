"""What .dockerignore leaves out, as moby decides it."""

import pytest

from kuroshio.changes.dockerignore import excludes, patterns
from kuroshio.errors import LimitExceeded


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("*.log", "a.log", True),
        ("*.log", "sub/a.log", False),
        ("**/*.log", "sub/deep/a.log", True),
        ("**/*.log", "a.log", True),
        ("docs", "docs/a/b.md", True),
        ("docs/", "docs/a", True),
        ("/docs", "docs/a", True),
        ("./docs/../docs", "docs", True),
        ("docs", "my/docs/a", False),
        ("docs/*", "docs/a/b", True),
        ("docs/**", "docs", False),
        ("docs/**", "docs/a/b", True),
        ("**/node_modules/**", "a/node_modules/b/c", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False),
        ("*\n!keep", "keep/x", False),
        ("*\n!keep", "other", True),
        ("!a\na", "a", True),
        ("a\n!a/b\na/b/c", "a/b/c", True),
        ("a\n!a/b\na/b/c", "a/b/d", False),
        ("# comment\n\n  \na", "a", True),
        ("\ufeffa", "a", True),
        ("*a", "banana", True),
        ("*a*n", "banan", True),
        ("x*y*z", "xyyz", True),
        ("a/*/c/*.py", "a/b/c/d.py", True),
        ("**", "anything/at/all", True),
        ("foo**", "foo/bar", True),
        ("[", "[", True),
        ("[z-a]", "b", False),
    ],
)
def test_a_pattern_decides_as_docker_does(lines: str, path: str, expected: bool) -> None:
    assert excludes(patterns(lines.encode()), path) is expected


@pytest.mark.timeout(60)  # without atomic groups: longer than the universe
@pytest.mark.parametrize("pattern", ["*a" * 60 + "b", "a*" * 60 + "b", "?*" * 60 + "b", "[a]*" * 60 + "b"])
def test_a_hostile_pattern_costs_no_more_than_an_honest_one(pattern: str) -> None:
    rules = patterns(pattern.encode())
    assert not excludes(rules, "a" * 4_000)


def test_too_many_patterns_and_too_many_double_stars_are_refused() -> None:
    with pytest.raises(LimitExceeded):
        patterns(b"a\n" * 1_001)
    with pytest.raises(LimitExceeded):
        patterns(b"**/a/**/b/**/c/**/d")


@pytest.mark.timeout(60)  # read to its end, 4 MB of open brackets cost two hours
@pytest.mark.parametrize("content", [b"[" * 4_000_000, b"a*" * 2_000_000, (b"[" * 4_096 + b"\n") * 900])
def test_patterns_without_end_are_refused(content: bytes) -> None:
    with pytest.raises(LimitExceeded):
        patterns(content)
