"""Random repositories that look like real ones: several templates, every kind of unit, sources apart and shared."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.repository import File, link, submodule
from tests.oracles.code import dockerfile, python, script
from tests.oracles.forms import Document, written

if TYPE_CHECKING:
    from random import Random

FUNCTION, LAYER, MACHINE = "AWS::Serverless::Function", "AWS::Serverless::LayerVersion", "AWS::Serverless::StateMachine"
# What is added to any world at random; each is a function below.
FEATURES = (
    "alone", "shared_python", "shared_node", "bundles", "layer", "makefile", "image", "wide_image", "machine", "loop",
    "nested", "twin", "ecs", "plain", "inline", "links", "third_party", "settings",
)  # fmt: skip
# What `sam build` can build without a network and without containers.
BUILDABLE = (
    "alone",
    "shared_python",
    "shared_node",
    "bundles",
    "layer",
    "makefile",
    "machine",
    "loop",
    "nested",
    "twin",
    "plain",
    "inline",
    "links",
)


@dataclass
class World:
    """One commit: templates as documents, kuroshio.yaml, and all other files."""

    chance: Random
    documents: dict[str, Document] = field(default_factory=dict)
    settings: Document = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    styles: dict[str, int] = field(default_factory=dict)

    def tree(self) -> dict[str, File]:
        """Return the files as git has them."""
        files = {path: File(written(each, self.styles.get(path, 0))) for path, each in self.documents.items()}
        if self.settings:
            files["kuroshio.yaml"] = File(written(self.settings, 0))
        return self.files | files

    def write(self, path: str, content: str = "", mode: str = "100644") -> None:
        """Put a file down."""
        self.files[path] = File((content or f"{self.chance.randrange(4)}\n").encode(), mode)

    def resources(self) -> list[tuple[str, str, Document]]:
        """Return every resource as (template, name, body)."""
        return [
            (path, name, body)
            for path, document in self.documents.items()
            for name, body in document["Resources"].items()
            if isinstance(body, dict)
        ]

    def tidied(self) -> World:
        """Let kuroshio.yaml speak only of units that are there: anything else is refused."""
        units = {f"{path}#{name}" for path, name, _ in self.resources()}
        said = self.settings.get("units", {})
        self.settings["units"] = {pattern: each for pattern, each in said.items() if pattern in units}
        self.settings = {key: value for key, value in self.settings.items() if value}
        return self


def world(chance: Random, features: tuple[str, ...] = FEATURES) -> World:
    """Make a repository of a random half of these features."""
    made = World(chance)
    root = chance.choice(["", "", "infra/"])
    main = f"{root}template.yaml"
    made.documents[main] = {
        "Transform": ["AWS::LanguageExtensions", "AWS::Serverless-2016-10-31"],
        "Parameters": {name: {"Type": "String", "Default": f"{name}1"} for name in ("Stage", "Level", "Idle")},
        "Mappings": {"Sizes": {"small": {"memory": 128}, "large": {"memory": 512}}},
        "Conditions": {"IsProduction": {"Fn::Equals": [{"Ref": "Stage"}, "production"]}},
        "Globals": {"Function": {"Timeout": 3, "Environment": {"Variables": {"LEVEL": {"Ref": "Level"}}}}},
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b"}}},
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}}},
    }
    up = "../" if root else ""
    for name in features:
        if chance.randrange(5) < 2 or name == "alone":
            _ADD[name](made, main, up)
    for path in ("README.md", "docs/guide.md", "tests/test_x.py", "scripts/build.sh", "samconfig.toml", "package.json"):
        made.write(
            path, {"package.json": '{"name": "root", "version": "1.0.0"}', "samconfig.toml": "# none\n"}.get(path, "")
        )
    return made.tidied()


def function(made: World, path: str, name: str, **properties: Any) -> Document:
    """Define a function in a template."""
    body: Document = {"Type": FUNCTION, "Properties": properties}
    made.documents[path]["Resources"][name] = body
    return body


def _alone(made: World, main: str, up: str) -> None:
    for number in range(made.chance.randint(1, 3)):
        folder = f"src/f{number}"
        for path in ("app.py", "lib/tax.py", "data.json", "bin/run.sh"):
            made.write(f"{folder}/{path}", mode=made.chance.choice(["100644", "100755"]))
        if made.chance.randrange(2):
            made.write(f"{folder}/requirements.txt", "# none\n")
        memory = {"Fn::FindInMap": ["Sizes", made.chance.choice(["small", "large"]), "memory"]}
        size = {"Fn::If": ["IsProduction", memory, 256]}
        body = function(
            made, main, f"Alone{number}", CodeUri=f"{up}{folder}", Handler="app.handler", Runtime="python3.11"
        )
        body["Properties"] |= made.chance.choice(
            [
                {},
                {"MemorySize": size},
                {"MemorySize": memory},
                {"Timeout": 9},
                {"Tags": {"s": {"Fn::Sub": "${Stage}-x"}}},
            ]
        )
        if made.chance.randrange(4) == 0:
            body["Condition"] = "IsProduction"


def _shared_python(made: World, main: str, up: str) -> None:
    members = ["a", "b", "c", "deep.d"]
    for module in (*members, "lib.one", "lib.two", "lib.three", "dead"):
        python(made, "shared", module)
    for package in ("lib", "deep"):
        made.write(f"shared/{package}/__init__.py", "\n")
    made.write("shared/words.txt")
    for module in members[: made.chance.randint(1, 4)]:
        handler = module.replace(".", "/") + ".handler"
        function(made, main, f"Python{module[-1]}", CodeUri=f"{up}shared/", Handler=handler, Runtime="python3.11")


def _shared_node(made: World, main: str, up: str) -> None:
    for name in ("a", "b", "lib/one", "lib/two", "dead"):
        script(made, f"web/{name}.js", bundled=False)
    made.write("web/package.json", '{"name": "web", "version": "1.0.0"}')
    for name in "ab"[: made.chance.randint(1, 2)]:
        function(made, main, f"Node{name}", CodeUri=f"{up}web", Handler=f"{name}.handler", Runtime="nodejs20.x")


def _bundles(made: World, main: str, up: str) -> None:
    for name in ("a", "b", "lib/one", "lib/two"):
        script(made, f"ts/{name}.ts", bundled=True)
    for name in "ab":
        body = function(made, main, f"Bundle{name}", CodeUri=f"{up}ts", Handler=f"{name}.handler", Runtime="nodejs20.x")
        body["Metadata"] = {
            "BuildMethod": "esbuild",
            "BuildProperties": {"Minify": True, "EntryPoints": [f"{name}.ts"]},
        }


def _layer(made: World, main: str, up: str) -> None:
    made.write("layers/common/python/common.py")
    made.write("layers/common/run.sh", mode="100755")
    resources = made.documents[main]["Resources"]
    resources["Common"] = {"Type": LAYER, "Properties": {"ContentUri": f"{up}layers/common"}}
    if made.chance.randrange(2):
        resources["Common"]["Metadata"] = {"BuildMethod": "python3.11"}
    users = [body for _, _, body in made.resources() if body["Type"] == FUNCTION]
    for body in made.chance.sample(users, len(users) // 2):
        body["Properties"]["Layers"] = [{"Ref": "Common"}]
    if made.chance.randrange(4) == 0:
        made.documents[main]["Globals"]["Function"]["Layers"] = [{"Ref": "Common"}]


def _makefile(made: World, main: str, up: str) -> None:
    made.write("make/main.c")
    made.write("make/Makefile", "build-Made:\n\tcp main.c $(ARTIFACTS_DIR)/\n")
    body = function(made, main, "Made", CodeUri=f"{up}make", Handler="bootstrap", Runtime="provided.al2023")
    body["Metadata"] = {"BuildMethod": "makefile"}
    if made.chance.randrange(2):
        made.write("tools/common.mk")
        body["Metadata"]["ProjectRootDirectory"] = f"{up}tools"


def _image(made: World, main: str, up: str) -> None:
    for path in (
        "app/main.py",
        "app/x.py",
        "lib/one.py",
        "lib/two.py",
        "lib/note.txt",
        "conf/a.txt",
        "conf/c.txt",
        "assets/logo.svg",
        "notes.md",
        "spare/x",
    ):
        made.write(f"image/{path}")
    made.write("image/Dockerfile", dockerfile(made))
    if made.chance.randrange(2):
        rules = ["**/note.txt", "*.md", "!notes.md", "conf/*", "!conf/a.txt", "spare", "lib/two.py", "**/x*", "# x"]
        made.write("image/.dockerignore", "\n".join(made.chance.sample(rules, made.chance.randint(1, 4))) + "\n")
    for name in ("ImageOne", "ImageTwo")[: made.chance.randint(1, 2)]:
        body = function(made, main, name, PackageType="Image")
        body["Metadata"] = {"DockerContext": f"{up}image", "Dockerfile": "Dockerfile"}
        body["Metadata"] |= made.chance.choice(
            [{}, {"DockerBuildTarget": "tools"}, {"DockerBuildArgs": {"PART": "assets"}}]
        )


def _wide_image(made: World, main: str, up: str) -> None:
    made.write("deploy/Dockerfile", "FROM scratch\nCOPY . /all\n")
    made.write(
        ".dockerignore", made.chance.choice(["*\n!src\n!layers/common\n", "docs\n**/*.md\n.git\n", "**\n!web/lib\n"])
    )
    body = function(made, main, "Wide", PackageType="Image")
    body["Metadata"] = {"DockerContext": up or ".", "Dockerfile": "deploy/Dockerfile"}


def _machine(made: World, main: str, up: str) -> None:
    made.write("machines/order.asl.json", json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}))
    properties = {
        "DefinitionUri": f"{up}machines/order.asl.json",
        "DefinitionSubstitutions": {"Fn": {"Fn::GetAtt": ["Alone0", "Arn"]}},
    }
    made.documents[main]["Resources"]["Machine"] = {"Type": MACHINE, "Properties": properties}


def _loop(made: World, main: str, up: str) -> None:
    for name in ("Red", "Blue", "Green"):
        made.write(f"loop/{name}/app.py")
    items: Any = made.chance.choice([["Red", "Blue"], ["Red"], {"Ref": "Palette"}])
    made.documents[main]["Parameters"]["Palette"] = {"Type": "CommaDelimitedList", "Default": "Blue, Green"}
    properties = {"CodeUri": f"{up}loop/${{Colour}}", "Handler": "app.handler", "Runtime": "python3.11"}
    made.documents[main]["Resources"]["Fn::ForEach::Colours"] = [
        "Colour", items, {"Loop${Colour}": {"Type": FUNCTION, "Properties": properties}},
    ]  # fmt: skip


def _nested(made: World, main: str, up: str) -> None:
    properties = {"Location": f"{up}child/template.yaml", "Parameters": {"Size": {"Ref": "Stage"}, "Spare": "x"}}
    made.documents[main]["Resources"]["Child"] = {"Type": "AWS::Serverless::Application", "Properties": properties}
    made.documents["child/template.yaml"] = {
        "Parameters": {"Size": {"Type": "String", "Default": "s"}, "Spare": {"Type": "String"}},
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {},
    }
    made.write("child/code/app.py")
    variables = {"Variables": {"SIZE": {"Ref": "Size"}}}
    function(
        made,
        "child/template.yaml",
        "Inner",
        CodeUri="code/",
        Handler="app.handler",
        Runtime="python3.11",
        Environment=variables,
    )


def _twin(made: World, main: str, up: str) -> None:
    """A second template that has its functions in the folders of the first."""
    made.documents["other/stack.json"] = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {}}
    made.styles["other/stack.json"] = 1
    function(made, "other/stack.json", "Twin", CodeUri="../src/f0", Handler="app.handler", Runtime="python3.11")
    function(made, "other/stack.json", "Third", CodeUri="../shared", Handler="c.handler", Runtime="python3.11")
    python(made, "shared", "c")


def _ecs(made: World, main: str, up: str) -> None:
    made.write("worker/Dockerfile", "FROM scratch\nCOPY main.py /\n")
    for path in ("main.py", "spare.py"):
        made.write(f"worker/{path}")
    containers = [{"Name": "w", "Image": {"Ref": "Stage"}}]
    resources = made.documents[main]["Resources"]
    resources["Task"] = {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"ContainerDefinitions": containers},
        "Metadata": {"DockerContext": f"{up}worker", "Dockerfile": "Dockerfile"},
    }
    resources["Service"] = {
        "Type": "AWS::ECS::Service",
        "Properties": {"TaskDefinition": {"Ref": "Task"}, "DesiredCount": 1},
    }


def _plain(made: World, main: str, up: str) -> None:
    made.write("plain/code/index.js")
    properties = {"Code": "code", "Handler": "index.handler", "Runtime": "nodejs20.x"}
    made.documents["plain/stack.template"] = {
        "Resources": {"Plain": {"Type": "AWS::Lambda::Function", "Properties": properties}}
    }


def _inline(made: World, main: str, up: str) -> None:
    function(made, main, "Inline", InlineCode="pass", Handler="index.handler", Runtime="python3.11")


def _links(made: World, main: str, up: str) -> None:
    made.write("common/util.py")
    made.write("common/more/x.py")
    made.files["src/f0/util.py"] = link("../../common/util.py")
    made.files["src/f0/more"] = link("../../common/more")


def _third_party(made: World, main: str, up: str) -> None:
    made.files["third_party/lib"] = submodule("1" * 40)
    made.write("vendored/own.py")
    made.files["vendored/lib"] = submodule("2" * 40)
    function(made, main, "Vendored", CodeUri=f"{up}vendored", Handler="own.handler", Runtime="python3.11")
    function(made, main, "Borrowed", CodeUri=f"{up}third_party/lib/src", Handler="x.handler", Runtime="python3.11")


def _settings(made: World, main: str, up: str) -> None:
    made.write("extra/words.txt")
    made.write("worker2/main.sh")
    made.write("samples/template.yaml", json.dumps({"Resources": {"S": {"Type": FUNCTION, "Properties": {}}}}))
    made.settings = {
        "units": {f"{main}#Alone0": {"inputs": made.chance.choice([["extra"], ["extra/words.txt", "docs"]])}},
        "services": {"worker": {"kind": "instance-service", "source": "worker2", "inputs": ["extra"]}},
        "templates": {"exclude": ["samples/**"]},
        "order": ["*#Common"],
        "ignore": {"paths": ["scripts"]},
    }


_ADD = {name: globals()[f"_{name}"] for name in FEATURES}
