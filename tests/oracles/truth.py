"""What two commits really differ in, by brute force: every unit of both is worked out from all of its files.

Nothing of the detector's is used here, nothing is compared before it is complete, and nothing is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from posixpath import normpath
from typing import TYPE_CHECKING, Any

from tests.oracles import docker, imports
from tests.oracles.templates import Deployment, Document, load, template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.repository import File

FUNCTIONS = {"AWS::Serverless::Function": "CodeUri", "AWS::Lambda::Function": "Code"}
LAYERS = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
MACHINES = {"AWS::Serverless::StateMachine": "DefinitionUri", "AWS::StepFunctions::StateMachine": ""}
TASKS, SERVICES = "AWS::ECS::TaskDefinition", "AWS::ECS::Service"
KINDS = {*FUNCTIONS, *LAYERS, *MACHINES, TASKS, SERVICES}
NESTING = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}
SUFFIXES = (".yaml", ".yml", ".json", ".template")
# Above a source folder the nearest of each decides how it is built.
MANIFESTS = {
    "python": ("requirements.txt", "constraints.txt", "uv.lock"),
    "nodejs": ("package.json", "package-lock.json", "tsconfig.json"),
}
_NOT_DEPLOYED = ("checkov", "cfn-lint")
_PLACES = ("CodeUri", "ContentUri", "DefinitionUri")
_BUILD_FOLDERS = ("ProjectRootDirectory", "ContextPath", "WorkingDirectory")

Files = "Mapping[str, File]"


@dataclass
class Made:
    """What one unit is: its worked-out definition, and its contents by name.

    ``loose`` are the contents that it never loads, ``told`` the places that kuroshio.yaml adds.
    """

    definition: Any
    contents: dict[Any, Any] = field(default_factory=dict)
    loose: set[Any] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def take_in(self, name: str, part: Made) -> None:
        """Let another unit be part of this one."""
        self.definition = [self.definition, part.definition]
        self.contents |= {(name, key): content for key, content in part.contents.items()}
        self.told |= part.told

    def differs(self, other: Made) -> bool:
        if self.definition != other.definition:
            return True
        mine, others = self.contents, other.contents
        return any(
            mine.get(name) != others.get(name)
            and ((name in mine and name not in self.loose) or (name in others and name not in other.loose))
            for name in {*mine, *others}
        )


def changed(before: Mapping[str, File], after: Mapping[str, File]) -> set[str]:
    """Return the ids of the units that differ between two commits, the added and the removed ones among them."""
    hidden = [_said(files).get("templates", {}).get("exclude", []) for files in (before, after)]
    left_out = {path for path in {*before, *after} if all(docker.is_ignored(rules, path) for rules in hidden)}
    return different(Commit(before, left_out), Commit(after, left_out))


def different(was: Commit, now: Commit) -> set[str]:
    """Return the ids of the units that differ between two commits that are worked out."""
    old, new = was.units(), now.units()
    return {
        unit
        for unit in {*old, *new}
        if unit not in old
        or unit not in new
        or old[unit].differs(new[unit])
        or any(was.at(place) != now.at(place) for place in old[unit].told | new[unit].told)
    }


def _said(files: Mapping[str, File]) -> Document:
    return (load(files["kuroshio.yaml"].content) if "kuroshio.yaml" in files else None) or {}


class Commit:
    """All files of one commit."""

    def __init__(self, files: Mapping[str, File], left_out: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        self._files = files
        self.templates: dict[str, Document] = {}
        for path, file in files.items():
            named = path.endswith(SUFFIXES) and file.mode.startswith("100") and path not in left_out
            found = template(file.content) if named and b"Resources" in file.content else None
            if found is not None:
                self.templates[path] = found
        self._settings = _said(files)

    def units(self) -> dict[str, Made]:
        """Return all units by id."""
        found: dict[str, Made] = {}
        for path, document in self.templates.items():
            for name, body in document["Resources"].items():
                if isinstance(body, dict) and body.get("Type") in KINDS:
                    found[f"{path}#{name}"] = self._made(path, document, name, body)
        for path, document in self.templates.items():
            for name, body in document["Resources"].items():
                for used in _used(body, document):
                    found[f"{path}#{name}"].take_in(used, found[f"{path}#{used}"])
        return found | {f"kuroshio.yaml#{name}": self._service(body) for name, body in self._services()}

    def nested(self, path: str) -> list[tuple[str, str]]:
        """Return the templates that one nests, each with the name of the resource that nests it."""
        return [(child, name) for child, name, _ in self._nesting(path)]

    def _nesting(self, path: str) -> Iterator[tuple[str, str, Document]]:
        for name, body in self.templates[path]["Resources"].items():
            place = NESTING.get(body.get("Type")) if isinstance(body, dict) else None
            properties = body.get("Properties") or {} if place else {}
            location = properties.get(place)
            child = _join(path.rpartition("/")[0], location) if isinstance(location, str) else ""
            if child in self.templates:
                yield child, name, properties

    def _services(self) -> list[tuple[str, Any]]:
        return list((self._settings.get("services") or {}).items())

    def _service(self, body: Document) -> Made:
        return Made(body["kind"], told={*_listed(body["source"]), *_listed(body.get("inputs"))})

    def _made(self, path: str, document: Document, name: str, body: Document) -> Made:
        folder = path.rpartition("/")[0]
        ways = [Deployment(document), *(Deployment(document, given) for given in self._given(path))]
        made = Made([_definition(way, body) for way in ways])
        metadata, properties = body.get("Metadata") or {}, ways[0].value(body.get("Properties") or {})
        if "Dockerfile" in metadata:
            made.contents["image"] = self._image(_join(folder, metadata["DockerContext"]), metadata)
        for place in (FUNCTIONS.get(body["Type"]), LAYERS.get(body["Type"])):
            source = properties.get(place) if place else None
            if place == "CodeUri" and source is None and "InlineCode" not in properties:
                source = "."
            if isinstance(source, str) and "Dockerfile" not in metadata:
                self._zip(made, f"{path}#{name}", _join(folder, source), properties, metadata)
        if isinstance(properties.get("DefinitionUri"), str):
            made.contents["definition"] = self._machine(_join(folder, properties["DefinitionUri"]))
        self._add_told(made, f"{path}#{name}")
        return made

    def _add_told(self, made: Made, unit: str) -> None:
        for pattern, said in (self._settings.get("units") or {}).items():
            if fnmatchcase(unit, pattern):
                made.told |= {*_listed(said.get("source")), *_listed(said.get("inputs"))}

    def _zip(self, made: Made, unit: str, folder: str, properties: Document, metadata: Document) -> None:
        method = metadata.get("BuildMethod")
        language = str(method or properties.get("Runtime", "")).rstrip("0123456789.x")
        for key in _BUILD_FOLDERS if method == "makefile" else ():
            if key in metadata:
                at = _join(unit.partition("#")[0].rpartition("/")[0], metadata[key])
                made.contents |= {(key, name): it for name, it in self.at(at).items()}
        if method == "esbuild":
            loaded = {f"{folder}/{name}".lstrip("/") for name in ("package.json", "package-lock.json")}
            points = metadata["BuildProperties"]["EntryPoints"]
            loaded |= imports.scripts(self._files, [f"{folder}/{point}".lstrip("/") for point in points])
            made.contents = {("code", path): self._files[path].content for path in loaded if path in self._files}
            language = "nodejs"
        else:
            made.contents |= {("code", path): content for path, content in self.at(folder).items()}
        if method not in ("makefile", "esbuild") and "Handler" in properties:
            mine = imports.of_handler(self._files, folder, properties["Handler"], language)
            made.loose = {("code", path[len(folder) :].lstrip("/")) for path in self._others(folder, language) - mine}
        made.contents |= {("manifest", path): self.at(path) for path in self._manifests(folder, language)}

    def _manifests(self, folder: str, language: str) -> Iterator[str]:
        """Yield the nearest manifest of each name above a source folder."""
        if language == "python" and f"{folder}/requirements.txt".lstrip("/") in self._files:
            return
        for name in MANIFESTS.get(language, ()):
            at = folder
            while at and f"{at}/{name}" not in self._files:
                at = at.rpartition("/")[0]
            if at != folder and f"{at}/{name}".lstrip("/") in self._files:
                yield f"{at}/{name}".lstrip("/")

    def _others(self, folder: str, language: str) -> set[str]:
        """Return all that the handlers of one folder load."""
        loaded: set[str] = set()
        for path, document in self.templates.items():
            for body in document["Resources"].values():
                if not isinstance(body, dict) or body.get("Type") not in FUNCTIONS:
                    continue
                properties = Deployment(document).value(body.get("Properties") or {})
                place = properties.get(FUNCTIONS[body["Type"]], ".")
                at = _join(path.rpartition("/")[0], place) if isinstance(place, str) else None
                if at == folder and "Dockerfile" not in (body.get("Metadata") or {}) and "Handler" in properties:
                    loaded |= imports.of_handler(self._files, folder, properties["Handler"], language)
        return loaded

    def _image(self, folder: str, metadata: Document) -> Any:
        prefix = f"{folder}/" if folder else ""
        rules = self._files.get(f"{prefix}.dockerignore")
        lines = rules.content.decode().splitlines() if rules else []
        context = {path[len(prefix) :]: file for path, file in self._files.items() if path.startswith(prefix)}
        sent = {path: file for path, file in context.items() if not docker.is_ignored(lines, path)}
        text = context.get(normpath(metadata["Dockerfile"]))
        if text is None:
            return None
        build = docker.Build(sent, text.content.decode(), metadata.get("DockerBuildArgs") or {})
        return build.image(metadata.get("DockerBuildTarget", ""))

    def _machine(self, path: str) -> Any:
        content = self.at(path).get("", (None, b""))[1]
        return load(content) or content

    def _given(self, path: str, below: tuple[str, ...] = ()) -> list[tuple[tuple[str, str], ...]]:
        """Return the values that templates above give, once for each way in which the template is nested."""
        found = []
        for parent, document in self.templates.items():
            for child, _, properties in self._nesting(parent) if parent not in below else ():
                if child == path:
                    ways = [(), *self._given(parent, (*below, path))]
                    values = [Deployment(document, way).value(properties.get("Parameters") or {}) for way in ways]
                    found += [tuple(sorted((key, repr(value)) for key, value in each.items())) for each in values]
        return found

    def at(self, path: str) -> dict[str, Any]:
        """Return what lies at a path and below it, links followed, by its name within."""
        return dict(self._walk(path, "", ()))

    def _walk(self, path: str, name: str, links: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        above = path
        while above:
            entry = self._files.get(above)
            if entry and entry.mode == "120000":
                target = normpath("/" + above.rpartition("/")[0] + "/" + entry.content.decode()).strip("/")
                if above in links:
                    yield name, "circle"
                else:
                    yield from self._walk(target + path[len(above) :], name, (*links, above))
                return
            if entry:
                yield name, (entry.mode, entry.content)
                return
            above = above.rpartition("/")[0]
        prefix = f"{path}/" if path else ""
        for other in self._files:
            if other.startswith(prefix):
                within = other[len(prefix) :]
                yield from self._walk(other, f"{name}/{within}".lstrip("/"), links)


def _definition(way: Deployment, body: Document) -> Any:
    result = way.value(body)
    properties = dict(result.get("Properties") or {})
    for place in _PLACES:
        if isinstance(properties.get(place), str):
            properties.pop(place)
    metadata = {key: value for key, value in (result.get("Metadata") or {}).items() if key not in _NOT_DEPLOYED}
    holds = way.condition(result["Condition"]) if "Condition" in result else True
    kept = {key: value for key, value in result.items() if key not in ("Properties", "Metadata", "IgnoreGlobals")}
    return [kept, properties, metadata, holds]


def _used(body: Any, document: Document) -> Iterator[str]:
    """Yield the layers of a function and the task definition of a service."""
    properties = body.get("Properties") or {} if isinstance(body, dict) else {}
    wanted = {**dict.fromkeys(FUNCTIONS, ("Layers", LAYERS)), SERVICES: ("TaskDefinition", {TASKS})}
    place, kinds = wanted.get(body.get("Type") if isinstance(body, dict) else None, ("", {}))
    value = properties.get(place, [])
    for each in value if isinstance(value, list) else [value]:
        name = each.get("Ref") if isinstance(each, dict) else None
        if name in document["Resources"] and document["Resources"][name].get("Type") in kinds:
            yield name


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _join(folder: str, location: str) -> str:
    return normpath("/" + folder + "/" + location).strip("/")
