"""Random edits of a world, as pull requests make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.repository import File, link, submodule
from tests.oracles import code, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracles.worlds import Document, World


def edit(made: World) -> str:
    """Change something; return the name of the edit. Some leave everything as it was, as some commits do."""
    chosen: Callable[[World], None] = made.chance.choice(_EDITS)
    chosen(made)
    made.tidied()
    return chosen.__name__


def content(made: World) -> None:
    path = made.chance.choice(sorted(made.files))
    file = made.files[path]
    if file.mode.startswith("100"):
        made.files[path] = File(_changed(made, path, file.content), file.mode)


def _changed(made: World, path: str, old: bytes) -> bytes:
    name = path.rpartition("/")[2]
    if name == "Dockerfile" and path.startswith("image/"):
        return code.dockerfile(made).encode()
    if name == ".dockerignore":
        return old + made.chance.choice([b"app/x.py\n", b"!app/x.py\n", b"# more\n", b"src/f1\n"])
    if path.endswith(".asl.json"):
        kind = made.chance.choice(["Succeed", "Fail"])
        form = '{{ "States": {{"A": {{"Type": "{0}"}}}},\n "StartAt": "A"}}'
        return form.format(kind).encode()
    if path.startswith("shared/") and path.endswith(".py"):
        code.python(made, "shared", path.removeprefix("shared/").removesuffix(".py").replace("/", "."))
    elif path.startswith(("web/", "ts/")) and path.endswith((".js", ".ts")):
        code.script(made, path, bundled=path.endswith(".ts"))
    elif path.endswith("package.json"):
        return b'{"name": "web", "version": "1.%d.0"}' % made.chance.randrange(3)
    else:
        sign = b"//" if path.endswith((".js", ".ts")) else b"#"
        return old + sign + b"%d\n" % made.chance.randrange(4)
    return made.files[path].content


def mode(made: World) -> None:
    path = made.chance.choice(sorted(made.files))
    file = made.files[path]
    if file.mode.startswith("100"):
        made.files[path] = File(file.content, "100755" if file.mode == "100644" else "100644")


def delete(made: World) -> None:
    del made.files[made.chance.choice(sorted(made.files))]


def rename(made: World) -> None:
    path = made.chance.choice(sorted(made.files))
    folder = made.chance.choice(sorted({each.rpartition("/")[0] for each in made.files}))
    name = made.chance.choice([path.rpartition("/")[2], "moved.py", "moved.txt"])
    target = f"{folder}/{name}".lstrip("/")
    if target not in made.files and target not in made.documents and name != "Dockerfile":
        made.files[target] = made.files.pop(path)


def add(made: World) -> None:
    folder = made.chance.choice(sorted({each.rpartition("/")[0] for each in made.files}))
    name = made.chance.choice(
        ["new.py", "new.txt", "one.py", "__init__.py", "new.md", "requirements.txt", "tsconfig.json"]
    )
    path = f"{folder}/{name}".lstrip("/")
    if path not in made.files:
        made.write(path, {"json": "{}\n", "py": "\n"}.get(name.rpartition(".")[2], "# none\n"))


def to_link(made: World) -> None:
    plain = [
        path for path, file in made.files.items() if file.mode.startswith("100") and not path.endswith("Dockerfile")
    ]
    path, target = made.chance.choice(sorted(plain)), made.chance.choice(sorted(plain))
    if path.startswith(("shared/", "web/", "ts/")):
        return  # what a link imports is not what this oracle reads
    made.files[path] = link("../" * path.count("/") + target)


def relink(made: World) -> None:
    for path, file in made.files.items():
        if file.mode == "120000":
            made.files[path] = link(file.content.decode().replace("common/", "common/./"))
            return


def bump(made: World) -> None:
    modules = sorted(path for path, file in made.files.items() if file.mode == "160000")
    if modules:
        made.files[made.chance.choice(modules)] = submodule(str(made.chance.randrange(1, 9)) * 40)


def _some(made: World, *types: str) -> Document:
    return made.chance.choice([body for _, _, body in made.resources() if not types or body["Type"] in types])


def property_(made: World) -> None:
    name, value = made.chance.choice(
        [
            ("Timeout", 7),
            ("MemorySize", 64),
            ("Environment", {"Variables": {"A": {"Ref": "Idle"}}}),
            ("Description", "d"),
        ]
    )
    _some(made, worlds.FUNCTION)["Properties"][name] = value


def metadata(made: World) -> None:
    name = made.chance.choice(["cfn-lint", "Owner"])
    _some(made).setdefault("Metadata", {})[name] = made.chance.randrange(3)


def bucket(made: World) -> None:
    for _, _, body in made.resources():
        if body["Type"] == "AWS::S3::Bucket":
            body["Properties"]["BucketName"] = f"b{made.chance.randrange(3)}"


def globals_(made: World) -> None:
    for document in made.documents.values():
        if "Globals" in document:
            name, value = made.chance.choice([("Timeout", 5), ("MemorySize", 99), ("Tags", {"t": {"Ref": "Level"}})])
            document["Globals"]["Function"][name] = value


def parameter(made: World) -> None:
    for document in made.documents.values():
        parameters = document.get("Parameters", {})
        if parameters:
            chosen = parameters[made.chance.choice(sorted(parameters))]
            if chosen["Type"] != "CommaDelimitedList":
                chosen[made.chance.choice(["Default", "Description"])] = made.chance.choice(["production", "x", "y"])


def mapping(made: World) -> None:
    for document in made.documents.values():
        if "Mappings" in document:
            document["Mappings"]["Sizes"][made.chance.choice(["small", "large"])]["memory"] = made.chance.randrange(4)


def condition(made: World) -> None:
    stage = {"Fn::Equals": [{"Ref": "Stage"}, made.chance.choice(["production", "Stage1"])]}
    for document in made.documents.values():
        if "Conditions" in document:
            document["Conditions"]["IsProduction"] = made.chance.choice([stage, {"Fn::Not": [stage]}])


def loop(made: World) -> None:
    for document in made.documents.values():
        if "Fn::ForEach::Colours" in document["Resources"]:
            body = document["Resources"]["Fn::ForEach::Colours"]
            body[1] = made.chance.choice([["Red"], ["Green", "Red"], ["Blue", "Red"], {"Ref": "Palette"}])
            if made.chance.randrange(3) == 0:
                document["Parameters"]["Palette"]["Default"] = "Blue"


def nesting(made: World) -> None:
    for _, _, body in made.resources():
        if body["Type"] == "AWS::Serverless::Application":
            body["Properties"]["Parameters"][made.chance.choice(["Size", "Spare"])] = f"v{made.chance.randrange(3)}"


def move_source(made: World) -> None:
    """Move a source folder, and what names it: nothing of what is deployed differs."""
    if any(path.startswith("src/f0/") for path in made.files):
        chosen = {path: file for path, file in made.files.items() if path.startswith("src/f0/")}
        for path, file in chosen.items():
            del made.files[path]
            made.files[path.replace("src/f0/", "src/g0/")] = file
        for _, _, body in made.resources():
            place = body.get("Properties", {}).get("CodeUri")
            if isinstance(place, str) and place.endswith("src/f0"):
                body["Properties"]["CodeUri"] = place.replace("src/f0", "src/g0")


def handler(made: World) -> None:
    users = [
        body for _, _, body in made.resources() if str(body.get("Properties", {}).get("CodeUri")).endswith("shared/")
    ]
    if users:
        made.chance.choice(users)["Properties"]["Handler"] = made.chance.choice(
            ["a.handler", "b.handler", "deep/d.handler"]
        )


def layers(made: World) -> None:
    body = _some(made, worlds.FUNCTION)
    if any(name == "Common" for _, name, _ in made.resources()):
        body["Properties"]["Layers"] = made.chance.choice([[], [{"Ref": "Common"}], ["arn:aws:lambda:r:1:layer:x:1"]])


def remove_unit(made: World) -> None:
    path, name, body = made.chance.choice(made.resources())
    if body["Type"] == worlds.FUNCTION and name != "Alone0":
        del made.documents[path]["Resources"][name]


def add_unit(made: World) -> None:
    path = made.chance.choice(sorted(made.documents))
    name = f"New{made.chance.randrange(3)}"
    folder = "../" * path.count("/") + made.chance.choice(["src/f0", "shared/", "web", "nowhere"])
    worlds.function(made, path, name, CodeUri=folder, Handler="a.handler", Runtime="python3.11")


def target(made: World) -> None:
    images = [body for _, _, body in made.resources() if "Dockerfile" in body.get("Metadata", {})]
    if images:
        body = made.chance.choice(images)
        if str(body["Metadata"]["DockerContext"]).endswith("image"):
            body["Metadata"]["DockerBuildTarget"] = made.chance.choice(["tools", "final"])


def form(made: World) -> None:
    """Write a template in another form: nothing differs."""
    path = made.chance.choice(sorted(made.documents))
    if not path.endswith(".json"):
        made.styles[path] = made.chance.randrange(5)


def move_template(made: World) -> None:
    """Rename a template: its units are others from then on."""
    if "other/stack.json" in made.documents:
        made.documents["other/renamed.json"] = made.documents.pop("other/stack.json")
        made.styles["other/renamed.json"] = 1


def said(made: World) -> None:
    """Change kuroshio.yaml."""
    units: dict[str, Any] = made.settings.setdefault("units", {})
    path, name, body = made.chance.choice(made.resources())
    if body["Type"] == worlds.FUNCTION:
        units[f"{path}#{name}"] = made.chance.choice(
            [{"inputs": ["scripts"]}, {"inputs": "README.md"}, {"source": ["src/f0"]}, {"inputs": ["extra", "docs"]}]
        )
    elif made.chance.randrange(2):
        made.settings["services"] = {"agent": {"kind": "instance-service", "source": "scripts"}}
    else:
        made.settings["templates"] = {"exclude": made.chance.choice([["samples/**"], ["other"], ["**/stack.*"]])}


_EDITS = [
    *[content] * 9, mode, delete, rename, rename, add, add, to_link, relink, bump, property_, property_, metadata, bucket, globals_,
    parameter, mapping, condition, loop, nesting, move_source, handler, layers, remove_unit, add_unit, target, form, move_template, said,
]  # fmt: skip
