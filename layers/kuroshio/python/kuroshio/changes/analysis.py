"""What one template says, wherever it lies and in whichever commit: a pure function of its content.

So an analysis can be kept by the blob id of the template, and is right for ever (within one VERSION).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kuroshio.changes import loops, references, sources
from kuroshio.changes.canonical import digest, normalise
from kuroshio.changes.document import load
from kuroshio.changes.inheritance import effective_properties
from kuroshio.changes.unit import Definition, Kind, Packaging, Source
from kuroshio.changes.values import Values
from kuroshio.errors import LimitExceeded, TemplateUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

# Part of the key under which analyses are kept: raise it whenever the same content would be analysed differently.
VERSION = 4

# One duplicate key puts as much in doubt as a thousand do.
MAX_REPETITIONS = 20

# Read by linters and consoles, never by a deployment.
_IDLE_METADATA = frozenset({"AWS::CloudFormation::Designer", "cfn-lint", "cfn_nag", "checkov", "guard", "cdk_nag"})
_IDLE_SECTIONS = frozenset({"Description", "Metadata", "Globals", "Resources"})
_TEXTS = sources.PATHS_OF_METADATA | {"Runtime", "Handler"}
_HARMLESS_MACROS = ("AWS::",)

# What is part of a unit though it is deployed on its own, and the property that names it.
_USES = {Kind.FUNCTION: (Kind.LAYER, "Layers"), Kind.ECS_SERVICE: (Kind.TASK_DEFINITION, "TaskDefinition")}

_RESOURCES = re.compile(rb"""(?:^|[{,\s])["']?Resources["']?\s*:""")
_TYPE = re.compile(rb"""["']?Type["']?\s*:\s*["']?AWS::|AWS::Include""")


@dataclass(frozen=True)
class Doubt:
    """Something about a template that cannot be known from it.

    ``standing``: there are units that cannot be seen, even while the template stays the same. Otherwise the units that
    are seen are in doubt when the template changes.
    """

    code: str
    message: str
    standing: bool = True


@dataclass(frozen=True)
class Nested:
    """A template that this one nests. ``given``: what each parameter's value is made of, as parts with digests."""

    logical_id: str
    source: Source
    given: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True)
class Analysis:
    """The units of one template, the rest of it as a digest, and what cannot be known."""

    units: tuple[Definition, ...] = ()
    rest: str = ""
    files: tuple[Source, ...] = ()  # of resources that are no units
    doubts: tuple[Doubt, ...] = ()
    nested: tuple[Nested, ...] = ()


def looks_like_template(content: bytes) -> bool:
    """Whether the bytes hold what every template holds: a Resources section and a type of AWS's."""
    return bool(_RESOURCES.search(content) and _TYPE.search(content))


def analyse(content: bytes) -> Analysis | None:
    """Analyse one file. None: it is no template. A template that cannot be read is an analysis with a doubt."""
    if not looks_like_template(content):
        return None
    repeated: list[str] = []
    try:
        document = load(content, repeated)
        if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
            return None
        if "AWS::LanguageExtensions" in _macros(document.get("Transform")):
            document = loops.expand(document)
    except LimitExceeded as error:
        return Analysis(doubts=(Doubt("template-too-large", str(error)),))
    except TemplateUnreadable as error:
        return Analysis(doubts=(Doubt("template-unreadable", str(error)),))
    analysis = _analyse(normalise(document))
    return replace(analysis, doubts=(*analysis.doubts, *_repetitions(repeated)))


def _repetitions(repeated: list[str]) -> Iterator[Doubt]:
    """Doubt the units when their template changes: what deploys it may count another of the values than we do."""
    for message in repeated[:MAX_REPETITIONS]:
        yield Doubt("duplicate-key", f"{message} (the last one counts for CloudFormation and SAM)", standing=False)


def _analyse(template: dict[str, Any]) -> Analysis:
    resources = {name: body for name, body in template["Resources"].items() if isinstance(body, dict)}
    kinds = {name: sources.KINDS.get(str(body.get("Type"))) for name, body in resources.items()}
    units = [_definition(template, name, resources[name], kind, kinds) for name, kind in kinds.items() if kind]
    others = {name: body for name, body in template["Resources"].items() if not kinds.get(name)}
    sections = {name: section for name, section in template.items() if name not in _IDLE_SECTIONS}
    return Analysis(
        units=tuple(sorted(units, key=lambda unit: unit.logical_id)),
        rest=digest([sections, others]),
        files=tuple(_infrastructure_files(others, Values(template))),
        doubts=tuple(_doubts(template)),
        nested=tuple(_nested(template, others)),
    )


def _nested(template: dict[str, Any], resources: dict[str, Any]) -> Iterator[Nested]:
    values = Values(template)
    for name, body in resources.items():
        properties = body.get("Properties") if isinstance(body, dict) else None
        if not isinstance(properties, dict):
            continue
        parameters = properties.get("Parameters")
        passed = parameters.items() if isinstance(parameters, dict) else ()
        given = tuple(
            (key, tuple(_value_parts(template, f"Resources.{name}.Parameters.{key}", value))) for key, value in passed
        )
        for source in sources.of_nested(str(body.get("Type")), _with_paths(properties, values)):
            yield Nested(name, source, given)


def _value_parts(template: dict[str, Any], part: str, value: Any) -> Iterator[tuple[str, str]]:
    yield part, digest(value)
    for name, found in sorted(references.parts(template, value).items()):
        yield name, digest(found)


def _definition(
    template: dict[str, Any], name: str, resource: dict[str, Any], kind: Kind, kinds: dict[str, Kind | None]
) -> Definition:
    properties = effective_properties(template, resource)
    metadata = resource.get("Metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    values = Values(template)
    resolved = _with_paths(properties, values)
    packaging, found = sources.of_unit(kind, str(resource["Type"]), resolved, _with_paths(metadata, values), values)
    part, used = _USES.get(kind, (None, ""))
    uses = {name for _, name in references.names(properties.get(used)) if part and kinds.get(name) is part}
    return Definition(
        logical_id=name,
        kind=kind,
        packaging=packaging,
        parts=tuple(sorted((part, digest(value)) for part, value in _parts(template, resource, properties, metadata))),
        sources=tuple(found),
        uses=tuple(sorted(uses)),
        code=sources.code_of(resolved, metadata) if packaging is Packaging.ZIP else None,
        image=sources.image_of(kind, metadata) if packaging is Packaging.IMAGE else None,
        method=method if isinstance(method := metadata.get("BuildMethod"), str) else "",
    )


def _parts(
    template: dict[str, Any], resource: dict[str, Any], properties: dict[str, Any], metadata: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    whole: dict[str, Any] = {f"Properties.{key}": value for key, value in properties.items()}
    whole |= {f"Metadata.{key}": value for key, value in metadata.items() if key not in _IDLE_METADATA}
    attributes = {key: value for key, value in resource.items() if key not in ("Properties", "Metadata")}
    attributes.pop("IgnoreGlobals", None)  # its effect stands in the properties
    yield from whole.items()
    yield from attributes.items()
    yield from references.parts(template, [properties, metadata, attributes]).items()


def _with_paths(properties: dict[str, Any], values: Values) -> dict[str, Any]:
    """Resolve what names sources, as ``sam build`` does when it looks for them: parameters count with their defaults."""

    def resolved(key: str, value: Any) -> Any:
        if key in sources.PATHS:
            return sources.resolved(value, values)
        known = values.text(value) if key in _TEXTS else None
        return value if known is None else known

    return {key: resolved(key, value) for key, value in properties.items()}


def _infrastructure_files(resources: dict[str, Any], values: Values) -> Iterator[Source]:
    for body in resources.values():
        if isinstance(body, dict) and isinstance(body.get("Properties"), dict):
            properties = _with_paths(body["Properties"], values)
            yield from sources.of_infrastructure(str(body.get("Type")), properties, values)


def _doubts(template: dict[str, Any]) -> Iterator[Doubt]:
    for name, body in template["Resources"].items():
        if name.startswith("Fn::ForEach") and _may_make_units(body):
            yield Doubt("loop", f"{name} makes resources in a loop over what is known at deployment only")
        elif name == "Fn::Transform":
            yield Doubt("include", "Resources are filled in by a transform at deployment; its units are not known")
    if "Fn::Transform" in template or "AWS::Include" in _macros(template.get("Transform")):
        yield Doubt("include", "the template is filled in by a transform at deployment; its units are not known")
    for macro in _macros(template.get("Transform")):
        if not macro.startswith(_HARMLESS_MACROS):
            message = f"the macro {macro} rewrites the template at deployment; its effect on the units is not known"
            yield Doubt("macro", message, standing=False)


def _may_make_units(body: Any) -> bool:
    types = set(_types(body))
    return bool(types & set(sources.KINDS)) or not all(type_.startswith("AWS::") for type_ in types)


def _types(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "Type" in value and "Properties" in value:
            yield value["Type"] if isinstance(value["Type"], str) else ""
        for item in value.values():
            yield from _types(item)
    elif isinstance(value, list):
        for item in value:
            yield from _types(item)


def _macros(transform: Any) -> Iterator[str]:
    for entry in transform if isinstance(transform, list) else [transform]:
        name = entry.get("Name") if isinstance(entry, dict) else entry
        if isinstance(name, str):
            yield name
