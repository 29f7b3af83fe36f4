"""What a Dockerfile can copy out of its context; and where that is not sure, all of it."""

from __future__ import annotations

import pytest

from kuroshio.changes.dockerfile import bases, patterns
from kuroshio.changes.dockerfile.lines import MAX_LINES, NotUnderstood, instructions
from kuroshio.changes.dockerfile.stages import read


def copied(text: str, target: str | None = "", **args: str | None) -> list[str]:
    return ["/".join(each.parts) or "." for each in read(text.encode(), target, args).sources]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM scratch\nCOPY a b/ ./c /x/", ["a", "b", "c"]),
        ("from scratch\ncopy a /x", ["a"]),
        ("FROM scratch\nADD a /x", ["a"]),
        ("FROM scratch\nCOPY . /x", ["."]),
        ("FROM scratch\nCOPY / /x", ["."]),
        ("FROM scratch\nCOPY /abs/a /x", ["abs/a"]),
        ("FROM scratch\nCOPY --chown=1:1 --chmod=755 --link a /x", ["a"]),
        ("FROM scratch\nCOPY --exclude=*.md a /x", ["a"]),
        ("FROM scratch\nCOPY --parents ./a/./b /x/", ["a/b"]),
        ('FROM scratch\nCOPY ["a b", "c", "/x/"]', ["a b", "c"]),
        ("FROM scratch\nCOPY [a] /x", ["[a]"]),
        ("FROM scratch\nCOPY a*/?.py [x-z].sh /x/", ["a*/?.py", "[x-z].sh"]),
        ("FROM scratch\nCOPY a \\\n  b \\\n# a comment\n\n  # another\n  c /x/", ["a", "b", "c"]),
        ("FROM scratch\r\nCOPY a \\\r\n  b /x/\r\n", ["a", "b"]),
        ("\ufeffFROM scratch\nCOPY a /x", ["a"]),
        ("# escape=`\nFROM scratch\nCOPY a `\n b /x/", ["a", "b"]),
        ("# syntax=docker/dockerfile:1.7\n# escape = \\\nFROM scratch\nCOPY a /x", ["a"]),
        ("# a comment\n# syntax=evil/frontend\nFROM scratch\nCOPY a /x", ["a"]),
        ("FROM scratch\nADD https://example.com/x git@github.com:a/b.git https://github.com/a/b.git#v1 a /x/", ["a"]),
        ("FROM scratch\nRUN cat <<EOF > /x\nCOPY nothing /x\nEOF\nCOPY a /x", ["a"]),
        ("FROM scratch\nRUN <<-'END' bash\nCOPY nothing /x\n\tEND\nCOPY a /x", ["a"]),
        ('FROM scratch\nCOPY <<A <<"B" a /x/\nCOPY n /\nA\nCOPY m /\nB\nCOPY b /x', ["a", "b"]),
        ('FROM scratch\nRUN cat <<<word && echo $((1<<2)) $(( 1 << 2 )) "x <<EOF"\nCOPY a /x', ["a"]),
        ('FROM scratch\nRUN ["cat", "<<EOF"]\nCOPY a /x', ["a"]),
        ("FROM scratch\nRUN --mount=type=bind,source=a,target=/a --mount=type=cache,target=/c true", ["a"]),
        ("FROM scratch\nRUN --mount=target=/src true", ["."]),
        ("FROM scratch\nRUN --mount=type=secret,id=x --mount=type=ssh --mount=type=tmpfs,target=/t true", []),
        ("FROM scratch\nONBUILD COPY a /x", ["a"]),
        ("FROM scratch\nONBUILD RUN --mount=type=bind,src=a,dst=/a true", ["a"]),
        ('FROM scratch\nLABEL a="it\'s"\nCMD ["x"]\nHEALTHCHECK --interval=5s CMD true\nCOPY a /x', ["a"]),
    ],
)
def test_what_instructions_take_out_of_the_context(text: str, expected: list[str]) -> None:
    assert copied(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM scratch\nARG D=app\nCOPY ${D}/x /x", ["app/x"]),
        ('FROM scratch\nARG D=app E="$D/e"\nCOPY $E /x', ["app/e"]),
        ("ARG D=app\nFROM scratch\nARG D\nCOPY $D /x", ["app"]),
        ("ARG D=app\nFROM scratch\nARG D=own\nCOPY $D /x", ["own"]),
        ("FROM scratch\nARG D\nCOPY ${D:-app} ${D-b} ${D:+no}c /x/", ["app", "b", "c"]),
        ("FROM scratch\nARG D=\nCOPY ${D:-app} ${D+b} /x/", ["app", "b"]),
        ("FROM scratch\nENV D=app\nARG D=other\nCOPY $D /x", ["app"]),
        ("FROM scratch\nENV D app/src\nENV E='$D'\nCOPY $D /x", ["app/src"]),
        ("FROM scratch\nENV D=app E=$D\nENV D=b\nCOPY ${D} /x", ["b"]),
        ("FROM scratch AS one\nENV D=app\nFROM one\nCOPY $D /x", ["app"]),
        ("FROM scratch\nARG GIVEN=app\nCOPY $GIVEN /x", ["orders"]),
        ("FROM public.ecr.aws/lambda/python:3.13\nARG D=app\nCOPY $D /x", ["app"]),
        ("FROM public.ecr.aws/lambda/python:3.13\nARG PYTHON_VERSION=app\nENV LAMBDA_X=a\nCOPY $LAMBDA_X /x", ["a"]),
    ],
)
def test_variables_that_the_file_decides_are_followed(text: str, expected: list[str]) -> None:
    assert copied(text, GIVEN="orders", LATER=None) == expected


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\nCOPY $D /x",
        "FROM scratch\nARG LATER=app\nCOPY $LATER /x",
        "FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /x",
        "FROM scratch\nARG SAM_BUILD_MODE=x\nCOPY $SAM_BUILD_MODE /x",
        "FROM scratch\nARG D=a\nARG D=b\nCOPY $D /x",
        "FROM scratch\nARG D=a\\ b\nCOPY $D /x",
        "FROM scratch\nENV D=$E\nCOPY $D /x",
        "FROM scratch\nARG D=a\nENV D=$E\nCOPY $D /x",
        "FROM scratch\nENV A=1 B\nENV D=a\nCOPY $D /x",
        "FROM scratch AS one\nARG D=a\nFROM one\nCOPY $D /x",
        "FROM scratch AS one\nARG D=a\nFROM one\nARG D=b\nCOPY $D /x",
        "FROM scratch AS one\nONBUILD ENV D=b\nFROM one\nENV D=a\nCOPY $D /x",
        "FROM scratch\nARG D=a\nCOPY ${D%a} /x",
        'FROM scratch\nARG D=a\nCOPY "$D" /x',
        "FROM scratch\nARG D=a\nCOPY \\$D /x",
        "FROM public.ecr.aws/lambda/python:3.13\nARG PYTHON_VERSION=app\nCOPY $PYTHON_VERSION /x",
        "FROM scratch\nONBUILD COPY $D /x",
        "FROM $D\nCOPY a /x",
        "ARG LATER\nFROM $LATER\nCOPY a /x",
        "ARG TARGETARCH\nFROM $TARGETARCH\nCOPY a /x",
        "FROM scratch\nCOPY ../a /x",
        "FROM scratch\nCOPY a\\b /x",
        "FROM scratch\nCOPY 'a' /x",
        "FROM scratch\nCOPY a** /x",
        "FROM scratch\nCOPY --parents **/a /x/",
        "FROM scratch\nCOPY [a-] /x",
        "FROM scratch\nCOPY a[ /x",
        "FROM scratch\nCOPY https://example.com/a /x",
        "FROM scratch\nADD oci://a/b /x",
        "FROM scratch\nCOPY a",
        'FROM scratch\nCOPY [1, "a"]',
        "FROM scratch\nCOPY --new=1 a /x",
        'FROM scratch\nCOPY --chown="1:1" a /x',
        "FROM scratch\nCOPY --from=$D a /x",
        "FROM scratch\nCOPY --from=context a /x",
        'FROM scratch\nCOPY ["<<EOF", "/x"]',
        "FROM scratch\nRUN --mount=type=new,target=/x true",
        "FROM scratch\nRUN --mount=type=bind,source=$D,target=/x true",
        "FROM scratch\nRUN --mount=type=bind,source=a*,target=/x true",
        "FROM scratch\nRUN --mount=type=bind,new=1 true",
        "FROM scratch\nRUN --new true",
        "FROM scratch\nRUN cat <<EOF",
        "FROM scratch\nRUN cat <<$X\n$X",
        "FROM scratch\nRUN echo 'a <<EOF\nEOF",
        "FROM scratch\nONBUILD COPY <<EOF /x\nEOF",
        "FROM scratch\nONBUILD ONBUILD COPY a /x",
        "FROM scratch\nINCLUDE other",
        "FROM scratch\nCOPY a \\",
        "FROM scratch\nRUN a \\\\\nCOPY a /x",
        "FROM scratch AS a\nFROM scratch AS A",
        "FROM scratch AS a-$b",
        "FROM a b",
        "FROM 0",
        "COPY a /x\nFROM scratch",
        "",
        "# nothing",
        "# syntax=evil/frontend\nFROM scratch\nCOPY a /x",
        "# escape=x\nFROM scratch\nCOPY a /x",
        "# escape=`\n# escape=\\\nFROM scratch\nCOPY a /x",
        "// syntax=evil/frontend\nFROM scratch",
        "#!/usr/bin/env docker\nFROM scratch\nCOPY a /x",
        "FROM scratch\nCOPY a\0 /x",
        "FROM scratch\rCOPY a /x",
        "FROM scratch\n" + "RUN true\n" * MAX_LINES,
    ],
)
def test_what_is_not_understood_is_not_guessed(text: str) -> None:
    with pytest.raises(NotUnderstood):
        copied(text, LATER=None)


def test_what_is_not_text_is_not_understood() -> None:
    with pytest.raises(NotUnderstood, match="UTF-8"):
        list(instructions(b"FROM scratch\n\xff"))


def test_any_argument_may_be_passed_to_an_image_that_sam_does_not_build() -> None:
    text = b"FROM scratch\nARG D=a\nCOPY x$D /x"
    with pytest.raises(NotUnderstood, match="line 3"):
        read(text, "", None)


def test_arguments_that_speak_to_the_builder_are_not_followed() -> None:
    with pytest.raises(NotUnderstood, match="builder"):
        read(b"FROM scratch", "", {"BUILDKIT_SYNTAX": "evil/frontend"})


STAGES = """
FROM scratch AS Build
COPY common /c
FROM scratch AS orders
COPY --from=build /c /c
COPY orders /x
FROM orders AS debug
COPY debug /d
FROM scratch AS bills
COPY --from=0 /c /c
RUN --mount=type=bind,from=debug,target=/d true
COPY bills /x
FROM scratch AS alone
COPY alone /x
COPY --from=some.registry/image:1 /y /y
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", ["alone"]),
        ("ALONE", ["alone"]),
        ("orders", ["common", "orders"]),
        ("debug", ["common", "orders", "debug"]),
        ("2", ["common", "orders", "debug"]),
        ("bills", ["common", "orders", "debug", "bills"]),
        (None, ["common", "orders", "debug", "bills", "alone"]),
    ],
)
def test_only_the_stages_that_lead_to_the_target_count(target: str | None, expected: list[str]) -> None:
    assert copied(STAGES, target) == expected


def test_a_target_that_is_no_stage_is_not_understood() -> None:
    with pytest.raises(NotUnderstood, match="no stage"):
        copied(STAGES, "odrers")


def test_the_images_that_reached_stages_begin_with_are_told() -> None:
    text = b"ARG V=3.13\nFROM --platform=$BUILDPLATFORM golang:1 AS go\nFROM public.ecr.aws/lambda/python:$V AS py\nFROM go"
    assert read(text, "", {}).bases == ("golang:1",)
    assert read(text, "py", {}).bases == ("public.ecr.aws/lambda/python:3.13",)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("public.ecr.aws/lambda/python:3.13", True),
        ("public.ecr.aws/lambda/nodejs@sha256:1", True),
        ("amazon/aws-lambda-python:3.13", True),
        ("debian", True),
        ("docker.io/library/debian:13@sha256:1", True),
        ("public.ecr.aws/docker/library/python:3.13-slim@sha256:1", True),
        ("python", True),
        ("python:2-onbuild", False),
        ("python@sha256:1", False),
        ("node:8-onbuild@sha256:1", False),
        ("gcr.io/distroless/python3", True),
        ("mcr.microsoft.com/dotnet/sdk:8.0", True),
        ("someone/python:3.13", False),
        ("registry.example.com:5000/debian", False),
        ("base", False),
    ],
)
def test_of_few_publishers_it_is_known_that_their_images_have_no_triggers(image: str, expected: bool) -> None:
    assert bases.is_known(image) is expected
    assert bases.is_without_triggers(image, ()) is expected


def test_kuroshio_yaml_adds_to_them_and_takes_back() -> None:
    rules = ("registry.example.com:5000/base", "!registry.example.com:5000/base/old:*", "!public.ecr.aws/lambda")
    assert bases.is_without_triggers("registry.example.com:5000/base/py:1@sha256:1", rules)
    assert not bases.is_without_triggers("registry.example.com:5000/base/old:1", rules)
    assert not bases.is_without_triggers("public.ecr.aws/lambda/python:3.13", rules)


@pytest.mark.parametrize(
    ("source", "path", "expected"),
    [
        ("a", "a", True),
        ("a", "a/b/c", True),
        ("a/b", "a", True),  # a file where the folder was
        ("a/b", "a/c", False),
        ("a", "ab", False),
        ("a*", "ab/c", True),
        ("*.py", "x.py", True),
        ("*.py", "a/x.py", False),
        ("a/*/c", "a/b/c/d", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("[a-c]x", "bx", True),
        ("[^a-c]x", "bx", False),
        ("*a*b", "xaxb", True),
        ("A", "a", False),
    ],
)
def test_a_source_names_paths_as_go_matches_them(source: str, path: str, expected: bool) -> None:
    assert patterns.touches(patterns.parts(source), tuple(path.split("/"))) is expected


@pytest.mark.timeout(60)  # without atomic groups: longer than the universe
def test_a_hostile_pattern_costs_no_more_than_an_honest_one() -> None:
    assert not patterns.touches(patterns.parts("*a" * 60 + "b"), ("a" * 4_000,))
    with pytest.raises(NotUnderstood):
        copied("FROM scratch\nRUN " + "'a\"" * 20_000 + " <<EOF\n")
