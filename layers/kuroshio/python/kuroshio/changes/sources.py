"""Where a template says that a unit's content lies, per type of resource.

The list of types and properties is SAM CLI's (``samcli/lib/utils/resources.py``) for what it packages from local paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.changes.canonical import is_intrinsic
from kuroshio.changes.manifests import language
from kuroshio.changes.unit import Code, Image, Kind, Packaging, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.values import Values

KINDS = {
    "AWS::Serverless::Function": Kind.FUNCTION,
    "AWS::Serverless::WebFunction": Kind.FUNCTION,
    "AWS::Lambda::Function": Kind.FUNCTION,
    "AWS::Serverless::LayerVersion": Kind.LAYER,
    "AWS::Lambda::LayerVersion": Kind.LAYER,
    "AWS::Serverless::StateMachine": Kind.STATE_MACHINE,
    "AWS::StepFunctions::StateMachine": Kind.STATE_MACHINE,
    "AWS::ECS::TaskDefinition": Kind.TASK_DEFINITION,
    "AWS::ECS::Service": Kind.ECS_SERVICE,
}


class Choice(tuple[str, ...]):
    """The texts that a property may have, where the deployment decides which."""

    __slots__ = ()


def resolved(value: Any, values: Values) -> Any:
    """Return a path with what CloudFormation computes of it, where the template says enough."""
    if not is_intrinsic(value) or "Fn::Transform" in value:
        return value
    texts = values.texts(value)
    if texts:
        return texts[0] if len(texts) == 1 else Choice(texts)
    return prefix if "://" in (prefix := values.prefix(value)) else value


# Files that resources other than units are made of: their changes are changes of infrastructure.
_INFRASTRUCTURE = {
    "AWS::ApiGateway::RestApi": ("BodyS3Location",),
    "AWS::ApiGatewayV2::Api": ("BodyS3Location",),
    "AWS::AppSync::FunctionConfiguration": (
        "CodeS3Location",
        "RequestMappingTemplateS3Location",
        "ResponseMappingTemplateS3Location",
    ),
    "AWS::AppSync::GraphQLSchema": ("DefinitionS3Location",),
    "AWS::AppSync::Resolver": (
        "CodeS3Location",
        "RequestMappingTemplateS3Location",
        "ResponseMappingTemplateS3Location",
    ),
    "AWS::CloudFormation::Stack": ("TemplateURL",),
    "AWS::CloudFormation::StackSet": ("TemplateURL",),
    "AWS::ElasticBeanstalk::ApplicationVersion": ("SourceBundle",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::Application": ("Location",),
    "AWS::Serverless::GraphQLApi": ("SchemaUri", "CodeUri"),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
}

# The properties that name files, units' first.
PATHS = frozenset({"CodeUri", "Code", "ContentUri", "Content", "DefinitionUri", "DefinitionS3Location"}).union(
    *_INFRASTRUCTURE.values()
)
PATHS_OF_METADATA = frozenset(
    {"DockerContext", "Dockerfile", "ProjectRootDirectory", "ContextPath", "WorkingDirectory"}
)

_NESTED = {"AWS::CloudFormation::Stack": ("TemplateURL",), "AWS::Serverless::Application": ("Location",)}

# Where `BuildMethod: makefile` may look besides the code itself.
_BUILD_FOLDERS = ("ProjectRootDirectory", "ContextPath", "WorkingDirectory")


def of_unit(
    kind: Kind, type_: str, properties: dict[str, Any], metadata: dict[str, Any], values: Values
) -> tuple[Packaging, list[Source]]:
    """Return how the unit's content travels and where it lies.

    ``properties`` are the effective ones; their paths are ``resolved`` already.
    """
    serverless = type_.startswith("AWS::Serverless::")
    if kind is Kind.STATE_MACHINE:
        packaging, sources = _state_machine(properties, "DefinitionUri" if serverless else "DefinitionS3Location")
    elif kind is Kind.TASK_DEFINITION:
        packaging, sources = Packaging.IMAGE, _containers(properties, metadata)
    elif kind is Kind.ECS_SERVICE:
        packaging, sources = Packaging.INLINE, []
    elif kind is Kind.LAYER:
        packaging, sources = Packaging.ZIP, _local("ContentUri" if serverless else "Content", properties)
    else:
        packaging, sources = _function(properties, metadata, "CodeUri" if serverless else "Code")
    return packaging, [*sources, *_build_folders(metadata), *includes({**properties, "": metadata}, values)]


# With one of these in its environment, or another start than its handler, code may load what its sources do not name.
_LOADERS = frozenset({"AWS_LAMBDA_EXEC_WRAPPER", "PYTHONPATH", "PYTHONSTARTUP", "NODE_PATH", "NODE_OPTIONS"})


def code_of(properties: dict[str, Any], metadata: dict[str, Any]) -> Code | None:
    """Return how a zip package is built and begun; None where neither runtime nor build method says a language."""
    method = metadata.get("BuildMethod")
    found = language(properties.get("Runtime"), method)
    if not found:
        return None
    build = metadata.get("BuildProperties")
    points = build.get("EntryPoints") if isinstance(build, dict) and method == "esbuild" else None
    points = tuple(point for point in points if isinstance(point, str)) if isinstance(points, list) else ()
    handler = properties.get("Handler")
    handler = handler if isinstance(handler, str) else ""
    environment = properties.get("Environment")
    variables = environment.get("Variables", {}) if isinstance(environment, dict) else {}
    is_plain = isinstance(variables, dict) and not is_intrinsic(variables) and _LOADERS.isdisjoint(variables)
    is_known = method in (None, "esbuild") or str(method).startswith(("python", "nodejs"))
    shows = is_plain and is_known and bool(handler or points) and (method != "esbuild" or bool(points))
    return Code(found, "BuildMethod" if method else "Runtime", handler, points, shows)


def image_of(kind: Kind, metadata: dict[str, Any]) -> Image:
    """Return how an image is built. A function's is built by SAM CLI, which passes what Metadata says and nothing else."""
    if kind is not Kind.FUNCTION:
        return Image(target=None, args=None, extra="DockerBuildExtraParams" in metadata)
    target = metadata.get("DockerBuildTarget") or ""
    args = metadata.get("DockerBuildArgs") or {}
    given = {**args, "SAM_BUILD_MODE": None} if isinstance(args, dict) and not is_intrinsic(args) else None
    return Image(
        target if isinstance(target, str) else None,
        None if given is None else tuple((name, _text(value)) for name, value in sorted(given.items())),
        extra=bool(metadata.get("DockerBuildExtraParams")),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def of_infrastructure(type_: str, properties: dict[str, Any], values: Values) -> list[Source]:
    """Return the local files that a resource which is no unit is made of. Its properties are ``resolved`` already."""
    sources = [source for name in _INFRASTRUCTURE.get(type_, ()) for source in _local(name, properties)]
    return [source for source in [*sources, *includes(properties, values)] if not source.doubt]


def of_nested(type_: str, properties: dict[str, Any]) -> list[Source]:
    """Return the local template that a resource nests; with a doubt where it may be any; nothing where S3 holds it."""
    return [source for name in _NESTED.get(type_, ()) for source in _nested(name, properties)]


def _nested(name: str, properties: dict[str, Any]) -> list[Source]:
    """Leave out applications of the repository that AWS keeps: their Location is a mapping, whatever stands in it."""
    value = properties.get(name)
    return [] if isinstance(value, dict) and not is_intrinsic(value) else _local(name, properties)


def _function(properties: dict[str, Any], metadata: dict[str, Any], code: str) -> tuple[Packaging, list[Source]]:
    nested = properties.get("Code") if isinstance(properties.get("Code"), dict) else {}
    image = properties.get("ImageUri") or (nested or {}).get("ImageUri")
    if properties.get("PackageType") == "Image" or image or "Dockerfile" in metadata:
        return Packaging.IMAGE, _image(image, metadata)
    if "InlineCode" in properties or (nested and "ZipFile" in nested):
        return Packaging.INLINE, []
    if code == "CodeUri" and not properties.get(code):
        properties = {**properties, code: "."}  # SAM's own default
    return Packaging.ZIP, _local(code, properties)


def _image(image: Any, metadata: dict[str, Any]) -> list[Source]:
    context, dockerfile = metadata.get("DockerContext"), metadata.get("Dockerfile")
    if context is None or dockerfile is None:
        if isinstance(image, str):
            return []  # an image that is built elsewhere, named literally: the definition says all
        return [Source("ImageUri", "", doubt="its image is named outside the template and Metadata does not say how")]
    if not (isinstance(context, str) and isinstance(dockerfile, str)):
        return [Source("DockerContext", "", doubt="its DockerContext or Dockerfile is computed by CloudFormation")]
    return [
        Source("DockerContext", context, docker_context=True),
        Source("Dockerfile", f"{context}/{dockerfile}"),
    ]


def _containers(properties: dict[str, Any], metadata: dict[str, Any]) -> list[Source]:
    """Return the sources of a task's images: one context for all, or a doubt for each whose name is computed."""
    containers = properties.get("ContainerDefinitions")
    images = (
        [each.get("Image") for each in containers if isinstance(each, dict)] if isinstance(containers, list) else [{}]
    )
    computed = next((image for image in images if not isinstance(image, str)), "")
    return [] if not computed and "Dockerfile" not in metadata else _image(computed, metadata)


def _state_machine(properties: dict[str, Any], uri: str) -> tuple[Packaging, list[Source]]:
    if uri not in properties:
        return Packaging.INLINE, []
    return Packaging.FILE, [
        Source(source.through, source.location, canonical=True, doubt=source.doubt)
        for source in _local(uri, properties)
    ]


def _local(name: str, properties: dict[str, Any]) -> list[Source]:
    """Return the local paths in a property; nothing for content in S3 that is named literally or not at all."""
    value = properties.get(name)
    if isinstance(value, Choice):
        return [source for text in value for source in _local(name, {name: text})]
    if isinstance(value, str):
        return [] if "://" in value else [Source(name, value)]
    if value is None:
        return []
    if not isinstance(value, dict):
        return [Source(name, "", doubt=f"its {name} is neither a path nor a place in S3")]
    if is_intrinsic(value):
        return [] if "Fn::Transform" in value else [_computed(name, value)]
    computed = next((part for part in value.values() if is_intrinsic(part)), None)
    return [_computed(name, computed)] if computed else []


def _computed(name: str, value: dict[str, Any]) -> Source:
    return Source(name, "", doubt=f"its {name} is computed by CloudFormation ({next(iter(value))})")


def _build_folders(metadata: dict[str, Any]) -> Iterator[Source]:
    if metadata.get("BuildMethod") == "makefile":
        for name in _BUILD_FOLDERS:
            if isinstance(metadata.get(name), str):
                yield Source(name, metadata[name])


def includes(value: Any, values: Values) -> Iterator[Source]:
    """Yield the fragments that ``AWS::Include`` pulls into ``value``."""
    if isinstance(value, list):
        for item in value:
            yield from includes(item, values)
    elif isinstance(value, dict):
        transform = value.get("Fn::Transform")
        if isinstance(transform, dict) and transform.get("Name") == "AWS::Include":
            parameters = transform.get("Parameters")
            location = resolved(parameters.get("Location") if isinstance(parameters, dict) else None, values)
            for source in _local("Location", {"Location": location}):
                yield Source("AWS::Include", source.location, doubt=source.doubt)
        for item in value.values():
            yield from includes(item, values)
