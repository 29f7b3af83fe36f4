"""Which base images have no ``ONBUILD`` triggers.

A trigger runs in the build that begins with the image, and may copy the whole context. What stands in an image from
elsewhere is not in git, so it is believed of a few publishers, whose recipes have none, and of what kuroshio.yaml names.
"""

from __future__ import annotations

import re

from kuroshio.changes import dockerignore

_LAMBDA = re.compile(r"public\.ecr\.aws/lambda/[a-z0-9._-]+|(?:docker\.io/)?amazon/aws-lambda-[a-z]+")
_LIBRARY = re.compile(r"(?:(?:docker\.io|public\.ecr\.aws/docker)/library/|docker\.io/)?([a-z0-9-]+)")
_OTHERS = re.compile(
    r"public\.ecr\.aws/(?:amazonlinux/amazonlinux|sam/[a-z0-9._-]+)|gcr\.io/distroless/[a-z0-9._-]+"
    r"|mcr\.microsoft\.com/dotnet/(?:sdk|runtime|runtime-deps|aspnet)"
)
# Docker's official images. Those of the second list had variants with triggers once, whose tags say "onbuild".
_NEVER = frozenset(
    ["alpine", "amazonlinux", "almalinux", "busybox", "debian", "eclipse-temurin", "fedora", "rockylinux", "ubuntu"]
)
_TAGGED = frozenset(
    ["amazoncorretto", "gcc", "golang", "gradle", "maven", "nginx", "node", "openjdk", "php", "python", "ruby", "rust"]
)


def is_known(image: str) -> bool:
    """Whether an image from elsewhere surely has no triggers, by its name and tag."""
    name, tag, digest = split(image)
    if _LAMBDA.fullmatch(name) or _OTHERS.fullmatch(name):
        return True
    library = _LIBRARY.fullmatch(name)
    if library is None:
        return False
    if library[1] in _NEVER:
        return True
    return library[1] in _TAGGED and "onbuild" not in tag and (bool(tag) or not digest)


def is_without_triggers(image: str, rules: tuple[str, ...]) -> bool:
    """``is_known``, unless the patterns of kuroshio.yaml say otherwise: they match the name, with its tag or without."""
    name, _, _ = split(image)
    by_name = dockerignore.excludes(rules, name, excluded=is_known(image))
    return dockerignore.excludes(rules, image, excluded=by_name)


def split(image: str) -> tuple[str, str, str]:
    """Split a reference into name, tag and digest; the last two may be empty."""
    rest, _, digest = image.partition("@")
    name, colon, tag = rest.rpartition(":")
    return (name, tag, digest) if colon and "/" not in tag else (rest, "", digest)
