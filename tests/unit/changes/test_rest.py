"""Templates at rest are left out where analyses were kept: the plan is the same, byte for byte, as if all were looked at."""

from __future__ import annotations

import json
from random import Random

import pytest

from kuroshio.changes import manifests, paths
from kuroshio.changes.detection import decide
from kuroshio.changes.observation import observe
from kuroshio.changes.remembering import Remembered
from kuroshio.changes.rendering import document
from kuroshio.changes.rest import Reach
from kuroshio.errors import KuroshioError
from tests.fakes.plans import MemoryNotes
from tests.fakes.repository import File, Files, MemoryRepository, link, submodule
from tests.oracles.edits import edit
from tests.oracles.worlds import world

FUNCTION = (
    "Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: {}, Handler: a.b, Runtime: {}}}}}}}"
)
A, B = "a/template.yaml", "b/template.yaml"
TREE: Files = {
    A: FUNCTION.format("src", "python3.13"),
    "a/src/a.py": "1",
    B: FUNCTION.format("x/src/", "python3.13"),
    "b/x/src/a.py": "1",
    "b/x/y/z.py": "1",
}
EDIT = {"a/src/a.py": "2"}
DOUBTED = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: !ImportValue x}}}"
MADE = (
    "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: x/src}, Metadata: {BuildMethod: makefile}}}"
)
BUNDLE = """{
    Type: AWS::Serverless::Function, Properties: {CodeUri: x/src, Handler: a.b, Runtime: nodejs22.x},
    Metadata: {BuildMethod: esbuild, BuildProperties: {EntryPoints: [a.ts]}}}"""
BUNDLED = f"Resources: {{F: {BUNDLE}, G: {BUNDLE}}}"
IMAGE = """
Resources: {F: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}, Metadata: {DockerContext: x, Dockerfile: D}}}
"""
FILE = "Resources: {Api: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: x/src/a.py}}}"
MACRO = f"Transform: [Mine]\n{TREE[B]}"
NAMES = [
    "package.json",
    "requirements.txt",
    "uv.lock",
    "go.mod",
    "pom.xml",
    ".dockerignore",
    "new.py",
    "new.yaml",
    "more",
]
GRADLE = {
    "b/settings.gradle": "include 'x:src', 'x:y'",
    "b/x/src/build.gradle": "dependencies { implementation project(':x:y') }",
}
NESTING = "Resources: {{App: {{Type: AWS::Serverless::Application, Properties: {{Location: b/template.yaml, Parameters: {{P: {}}}}}}}}}"
NESTED = f"Parameters: {{P: {{Type: String}}}}\n{FUNCTION.format('x/src, Description: !Ref P', 'python3.13')}"
FUNCTION_TYPE = "AWS::Serverless::Function"
PLACES = ["f0", "f0", "f1/", "./f0/deep", "f0/a.py", "../s0/f1", ".", "none"]
CODES = [
    (place, runtime) for place in PLACES for runtime in ("python3.13", "python3.13", "nodejs22.x", "go1.x", "java21")
]
RESOURCES = [
    *[(FUNCTION_TYPE, {"CodeUri": place, "Handler": "a.b", "Runtime": runtime}, {}) for place, runtime in CODES],
    *[("AWS::Serverless::StateMachine", {"DefinitionUri": "flow.json"}, {})] * 8,
    *[("AWS::Serverless::HttpApi", {"DefinitionUri": "flow.json"}, {})] * 8,
    *[(FUNCTION_TYPE, {"PackageType": "Image"}, {"DockerContext": "f1", "Dockerfile": "D"})] * 8,
    *[(FUNCTION_TYPE, {"CodeUri": "f0", "Description": {"Ref": "P"}}, {})] * 8,
    (FUNCTION_TYPE, {"CodeUri": "f0"}, {"BuildMethod": "makefile"}),
    (FUNCTION_TYPE, {"CodeUri": {"Fn::ImportValue": "x"}}, {}),
    ("AWS::Serverless::Application", {"Location": "../s1/template.yaml", "Parameters": {"P": "1"}}, {}),
    ("AWS::Serverless::Application", {"Location": "../s1/template.yaml", "Parameters": {"P": "2"}}, {}),
]


class Pull:
    """One pull request, planned with what was found out about it before, and without."""

    def __init__(self, before: Files, after: Files) -> None:
        self.repository = MemoryRepository()
        self.base = self.repository.make_commit(before)
        self.head = self.repository.make_commit(after, self.base)
        self._notes = MemoryNotes()
        self.first = self._observed(self._kept())  # nothing is known yet, so everything is looked at

    def quick(self) -> tuple[str, frozenset[str]]:
        """The plan, and the templates that were left out for it."""
        return self._observed(self._kept())

    def _kept(self) -> Remembered:
        remembered = Remembered(self._notes, "octo/shop")
        remembered.load()
        return remembered

    def _observed(self, remembered: Remembered) -> tuple[str, frozenset[str]]:
        try:
            seen = observe(self.repository, self.base, self.head, remembered.templates, remembered.imports)
            return document.write(decide(seen)), seen.after.at_rest
        except KuroshioError as error:
            return f"{type(error).__name__}: {error}", frozenset()
        finally:
            remembered.save()


def resting(before: Files, after: Files) -> frozenset[str]:
    """The templates that were left out, after it was made sure that the plan is as it is with them."""
    pull = Pull(before, after)
    plan, found = pull.quick()
    assert (plan, frozenset[str]()) == pull.first
    return found


@pytest.mark.parametrize(
    "change",
    [
        EDIT,
        {A: FUNCTION.format("src", "python3.12")},
        {"a/template.yaml": "no template"},
        {"a/new.yaml": TREE[A]},
        {"README.md": "2"},
        {"b/x/y/z.py": "2"},
        {"b/x/y/requirements.txt": "2"},  # above none of the sources
        {"a/requirements.txt": "2"},
        {"b/x/README.md": "2"},
        {"b/.dockerignore": "*"},  # it leaves nothing out but of images
        {"a/src/link": link("../../b")},
        {"kuroshio.yaml": "order: ['*']"},
    ],
)
def test_a_template_that_nothing_concerns_is_at_rest(change: Files) -> None:
    assert B in resting(TREE, TREE | change)


@pytest.mark.parametrize(
    "change",
    [
        {B: FUNCTION.format("x/src", "python3.12")},
        {B: File(str(TREE[B]).encode(), "100755")},
        {"b/x/src/a.py": "2"},
        {"b/x/src/deep/new.py": "2"},
        {"b/x/src/deep": link("../../y")},
        {"b/x/src/lib": submodule("1" * 40)},
        *({f"{folder}{name}": "2"} for folder in ("", "b/", "b/x/") for name in sorted(manifests.NAMES)),
        {"kuroshio.yaml": f'units: {{"{B}#F": {{inputs: a}}}}'},
        {"kuroshio.yaml": f'units: {{"{A}#F": {{inputs: b}}}}'},
    ],
)
def test_a_template_that_a_change_may_concern_is_looked_at(change: Files) -> None:
    assert B not in resting(TREE, TREE | EDIT | change)


@pytest.mark.parametrize(
    "standing",
    [
        {B: FUNCTION.format("x/none", "python3.13")},
        {B: FUNCTION.format("../../out", "python3.13")},
        {B: FUNCTION.format("'/x/src'", "python3.13")},
        {B: FUNCTION.format("x/src", "java21")},
        {B: DOUBTED},
        {B: MADE},
        {B: BUNDLED},
        {B: MACRO},
        {B: "Resources: {AWS::: {"},
        {B: NESTING.format("1")},
        {B: FUNCTION.format(".", "python3.13"), "b/link": link("x")},
        {B: FUNCTION.format("to/src", "python3.13"), "b/to": link("x")},
        {B: FUNCTION.format("sub/src", "python3.13"), "b/sub": submodule("1" * 40)},
        {"b/x/src/deep/link": link("../../y/z.py")},
        {"b/requirements.txt": link("x/y/z.py")},
        {B: IMAGE, "b/x/D": "FROM scratch", "b/x/.dockerignore": "\n".join(map(str, range(2_000)))},
    ],
)
def test_a_template_that_leaves_something_open_is_looked_at(standing: Files) -> None:
    assert B not in resting(TREE | standing, TREE | standing | EDIT)


@pytest.mark.parametrize(
    "standing",
    [
        {B: IMAGE, "b/x/D": "FROM scratch"},
        {B: FUNCTION.format("sub", "python3.13"), "b/sub": submodule("1" * 40)},
        {"b/x/src/sub": submodule("1" * 40)},
        {B: FILE},
        {B: "Resources: {B: {Type: AWS::S3::Bucket}}"},
    ],
)
def test_images_submodules_and_resources_that_are_no_units_let_a_template_rest(standing: Files) -> None:
    assert B in resting(TREE | standing, TREE | standing | EDIT)


@pytest.mark.parametrize(
    ("standing", "change"),
    [
        ({"b/x/src/deep/link": link("../../y/z.py")}, "b/x/y/z.py"),
        ({"b/requirements.txt": link("x/y/z.py")}, "b/x/y/z.py"),
        ({B: BUNDLED, "b/x/src/a.ts": "import '../../../a/src/b'", "a/src/b.ts": ""}, "a/src/b.ts"),
        ({B: MADE, "b/x/src/Makefile": "build-F:\n\tcp ../y/z.py ."}, "b/x/y/z.py"),
        ({B: FUNCTION.format("x/src", "java21"), **GRADLE}, "b/x/y/z.py"),
    ],
)
def test_what_a_unit_is_made_of_elsewhere_wakes_its_template(standing: Files, change: str) -> None:
    before = TREE | standing
    assert f'"{B}#F"' in Pull(before, before | {change: "2"}).first[0]
    assert B not in resting(before, before | {change: "2"})


def test_a_file_of_a_resource_that_is_no_unit_wakes_its_template() -> None:
    before = TREE | {B: FILE}
    assert B not in resting(before, before | {"b/x/src/a.py": "2"})


def test_what_a_nesting_template_gives_is_compared_though_the_nested_one_stays_as_it_is() -> None:
    before = TREE | {"template.yaml": NESTING.format("1"), B: NESTED}
    assert resting(before, before | {"template.yaml": NESTING.format("2")}) == frozenset()
    assert resting(before, before | EDIT) == {B}  # no template differs, so nothing that is given can


def test_a_template_that_lies_twice_in_the_tree_is_at_rest_where_nothing_concerns_it() -> None:
    before = TREE | {"c/template.yaml": TREE[B], "c/x/src/a.py": "1"}
    assert resting(before, before | {"c/x/src/a.py": "2"}) == {A, B}


def test_a_history_that_cannot_be_trusted_lets_nothing_rest() -> None:
    pull = Pull(TREE, TREE | EDIT)
    pull.repository.cut_at(pull.head)
    plan, found = pull.quick()
    assert f'"{B}#F"' in plan
    assert found == frozenset()


def test_a_template_of_which_nothing_is_known_is_looked_at() -> None:
    assert Pull(TREE, TREE | EDIT).first[1] == frozenset()


def test_an_open_reach_names_no_places() -> None:
    assert Reach(is_open=True).locations == ()


def _estate(chance: Random) -> tuple[Files, Files]:
    """A random repository beside many small services, before and after random edits."""
    made = world(chance)
    if chance.randrange(3):
        made.settings.pop("units", None)
    services = {path: file for number in range(6) for path, file in _service(chance, f"services/s{number}").items()}
    services = _disturbed(chance, services, chance.choice([0, 0, 1, 2]))
    before = made.tree() | services
    for _ in range(chance.choice([0, 1, 2])):
        edit(made)
    return before, made.tree() | _disturbed(chance, services, chance.choice([0, 1, 1, 2, 4]))


def _service(chance: Random, folder: str) -> dict[str, File]:
    """A template with some of all that a template can be made of, and their sources."""
    files = {f"{folder}/{path}": File(b"1") for path in ("f0/a.py", "f0/deep/b.py", "f1/a.py", "f1/D", "flow.json")}
    files[f"{folder}/f0/Makefile"] = File(b"".join(b"build-%c:\n\tcp ../f1/a.py .\n" % name for name in b"FGHI"))
    if chance.randrange(3) == 0:
        files[f"{folder}/f0/{chance.choice(['deep/more', 'more', 'requirements.txt'])}"] = link("../f1/a.py")
    chosen = {name: chance.choice(RESOURCES) for name in chance.sample("FGHI", 3)}
    resources = {
        name: {"Type": kind, "Properties": properties, "Metadata": metadata}
        for name, (kind, properties, metadata) in chosen.items()
    }
    template = {"Parameters": {"P": {"Type": "String"}}, "Resources": resources}
    if chance.randrange(16) == 0:
        template["Transform"] = "OurMacro"
    return files | {f"{folder}/template.yaml": File(json.dumps(template).encode())}


def _disturbed(chance: Random, files: dict[str, File], times: int) -> dict[str, File]:
    """Change files where it may matter to their neighbours: by what they hold, where they lie, what leads to them."""
    for _ in range(times):
        path, other = chance.sample(sorted(files), 2)
        folder = chance.choice([above for above in paths.above(path) if above])
        top = "/".join(path.split("/")[:2])
        up, name = "../" * (folder.count("/") + 1), chance.choice(NAMES)
        match chance.randrange(6):
            case 0:
                files = files | {path: File(files[other].content if path.endswith(".yaml") else b"2")}
            case 1:
                files = {each: file for each, file in files.items() if each != path}
            case 2:
                files = files | {f"{folder}/{name}": File(b"*")}
            case 3:
                files = files | {f"{folder}/{name}": link(up + chance.choice([other, paths.parent(other)]))}
            case 4:
                files = files | {f"{folder}/lib": submodule(chance.choice("12") * 40)}
            case 5:  # a service moves, and a link to it takes its place
                inside = {
                    f"services/moved{each.removeprefix(top)}": each for each in files if each.startswith(f"{top}/")
                }
                moved = {new: files[old] for new, old in inside.items()}
                files = {each: file for each, file in files.items() if each not in inside.values()}
                files = files | moved | {top: link("moved")}
    return _possible(files)


def _possible(files: dict[str, File]) -> dict[str, File]:
    """Leave out what git could not hold: files below what is no folder."""
    return {path: file for path, file in files.items() if files.keys().isdisjoint(paths.above(path))}


def _rested(seeds: range) -> int:
    return sum(len(resting(*_estate(Random(seed)))) for seed in seeds)  # noqa: S311 - no secret


def test_random_repositories_have_the_same_plan() -> None:
    assert _rested(range(60)) > 30


@pytest.mark.search
def test_many_random_repositories_have_the_same_plan() -> None:
    assert _rested(range(1_000, 1_600)) > 300


@pytest.mark.soak
@pytest.mark.parametrize("portion", range(10))
def test_a_long_search_finds_no_other_plan(portion: int) -> None:
    assert _rested(range(2_000_000 + portion * 2_000, 2_000_000 + (portion + 1) * 2_000)) > 1_000
