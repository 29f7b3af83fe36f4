"""Sources that import and copy a few of each other, at random."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracles.worlds import World


def python(made: World, folder: str, module: str) -> None:
    """Write a module that imports a few of the others."""
    names = made.chance.sample(["lib.one", "lib.two", "lib.three"], made.chance.randint(0, 2))
    lines = [
        made.chance.choice([f"import {name}", f"from lib import {name[4:]}", f"from {name} import value"])
        for name in names
    ]
    text = "\n".join(
        [*lines, f"value = {made.chance.randrange(9)}", "def handler(event, context):", "    return value", ""]
    )
    made.write(f"{folder}/{module.replace('.', '/')}.py", text)


def script(made: World, path: str, *, bundled: bool) -> None:
    """Write a script that imports a few of its neighbours."""
    up = "../" * path.count("/lib/") + "./"
    names = made.chance.sample(["one", "two"], made.chance.randint(0, 2))
    folder = "" if "/lib/" in path else "lib/"
    prefix = "./" if "/lib/" in path else up
    line = "import * as {0} from '{1}{2}{0}';" if bundled else "const {0} = require('{1}{2}{0}');"
    lines = [line.format(name, prefix, folder) for name in names if f"lib/{name}." not in path]
    used = ", ".join(name for name in names if f"lib/{name}." not in path)
    end = f"export const handler = async () => [{used}];" if bundled else f"exports.handler = async () => [{used}];"
    made.write(path, "\n".join([*lines, f"const n = {made.chance.randrange(9)};", end, ""]))


def dockerfile(made: World) -> str:
    """Write a Dockerfile that copies a few things, in the ways that Docker knows."""
    some = [
        "app",
        "app/main.py",
        "lib/*.py",
        "lib",
        "conf/[ab].txt",
        "./assets/",
        "*.md",
        "${PART}",
        "lib/? x",
        "app/../lib",
    ]
    first, second = (made.chance.sample(some, made.chance.randint(1, 3)) for _ in range(2))
    lines = [
        "ARG PART=conf",
        "FROM scratch AS tools",
        "ARG PART",
        _copied(made, first),
        "FROM scratch AS unused",
        "COPY . /all/",
    ]
    lines += ["FROM scratch AS final", "ARG PART=app", _copied(made, second)]
    lines += made.chance.choice([["COPY --from=tools / /tools/"], ["COPY --from=0 /t /t"], [], ["ADD conf /conf/"]])
    mounts = [
        "type=bind,source=lib,target=/l",
        "type=bind,target=/all",
        "type=bind,from=tools,target=/t",
        "type=cache,target=/c",
    ]
    lines += made.chance.choice(
        [[], [], ["ENV PART=assets", "COPY $PART /env/"], [f"RUN --mount={made.chance.choice(mounts)} true"]]
    )
    lines += ["# the end", 'CMD ["app.handler"]', ""]
    return "\n".join(lines)


def _copied(made: World, sources: list[str]) -> str:
    word = made.chance.choice(["COPY", "COPY --chmod=755", "ADD", "copy"])
    if made.chance.randrange(3) == 0 or any(" " in source for source in sources):
        return f"{word} {json.dumps([*sources, '/t/'])}"
    return f"{word} {(' ' + chr(92) + chr(10) + '  ').join(sources)} /t/"
