"""What a task runs, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.tasks.declaration import fields
from kuroshio.tasks.declaration.model import Automation, Document, Function, Shell, StateMachine, Targets

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.changes.places import Place
    from kuroshio.tasks.declaration.fields import Problems
    from kuroshio.tasks.declaration.model import Parameters, Run

    Scripts = Callable[[str], bytes | None]

KINDS = ("shell", "script", "document", "automation", "function", "state_machine")
COMMANDS = ("shell", "script", "document")
_MOST_PAYLOAD = 4_096  # bytes: of a window's Lambda and Step Functions tasks
_MOST_PARAMETERS = 200
_MOST_INSTANCES = 50  # of a window's target, and of SendCommand
_MOST_TAGS = 5
_MOST_VALUES = 50

_document_name = fields.matching(r"[a-zA-Z0-9_.:/-]{3,128}", "the name or ARN of an SSM document")
_version = fields.matching(r"[$]LATEST|[$]DEFAULT|[1-9][0-9]*", "a version: a number, $DEFAULT or $LATEST")
_function = fields.matching(
    r"(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:)?[a-zA-Z0-9_-]{1,64}(:[a-zA-Z0-9_$-]{1,128})?",
    "the name or ARN of a Lambda function",
)
_machine = fields.matching(
    r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[a-zA-Z0-9_-]{1,80}(:[a-zA-Z0-9_-]{1,80})?",
    "the ARN of a state machine",
)
_instance = fields.matching(
    r"i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17}", "an instance id such as i-0123456789abcdef0"
)
_tag_key = fields.matching(r"[\w .:/=+@-]{1,128}", "a tag's key")
_tag_value = fields.matching(r"[\w .:/=+@-]{1,256}", "a tag's value")
_group = fields.matching(
    r"(arn:aws[a-z-]*:resource-groups:[a-z0-9-]+:\d{12}:group/)?[a-zA-Z0-9_.-]{1,300}", "a resource group's name or ARN"
)


def run(place: Place, problems: Problems, scripts: Scripts | None) -> tuple[str, Run | None]:
    """Which kind of run, and the run; its kind is known, where possible, even if more of it is wrong."""
    given = problems.keys(place, (*KINDS, "parameters", "version", "payload", "input"))
    kind = problems.one_of(place, given, KINDS)
    takes: dict[str, tuple[str, ...]] = {"document": ("parameters", "version"), "automation": ("parameters", "version")}
    takes |= {"function": ("payload",), "state_machine": ("input",)}
    for name in given.keys() - {*KINDS, *takes.get(kind, ())} if kind else ():
        problems.refuse(place, f"no {name} beside {kind}")
    before = len(problems.found)
    found = _run(kind, given, problems, scripts)
    return kind, found if len(problems.found) == before else None


def _run(kind: str, given: dict[str, Place], problems: Problems, scripts: Scripts | None) -> Run | None:
    payload = given.get("payload") or given.get("input")
    sent = problems.read(payload, lambda place: fields.document(place, _MOST_PAYLOAD), "{}")
    version = problems.read(given.get("version"), _version, "")
    match kind:
        case "shell":
            return Shell(problems.read(given[kind], _lines, ""))
        case "script":
            path = problems.read(given[kind], _path, "")
            return Shell(problems.read(given[kind], lambda place: _content(place, path, scripts), ""), path)
        case "document" | "automation":
            name = problems.read(given[kind], _document_name, "")
            parameters = problems.read(given.get("parameters"), lambda place: _parameters(place, problems), ())
            return (Document if kind == "document" else Automation)(name, parameters, version)
        case "function":
            return Function(problems.read(given[kind], _function, ""), sent)
        case "state_machine":
            return StateMachine(problems.read(given[kind], _machine, ""), sent)
        case _:
            return None


def _lines(place: Place) -> str:
    expected = "commands for a shell"
    text = place.text(expected)
    if not text.strip() or "\0" in text:
        raise place.refused(expected)
    return text.strip("\n")


def _path(place: Place) -> str:
    expected = "a script's path beside tasks.yaml, relative, without .."
    path = place.text(expected)
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise place.refused(expected)
    return path


def _content(place: Place, path: str, scripts: Scripts | None) -> str:
    """The script's own lines. Without a way to read them, its path alone is judged."""
    if scripts is None or not path:
        return path
    content = scripts(path)
    if content is None:
        raise place.refused("a script that is there")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise place.refused("a script in UTF-8") from None
    if not text.strip() or "\0" in text:
        raise place.refused("a script with commands")
    return text.strip("\n")


def _parameters(place: Place, problems: Problems) -> Parameters:
    """SSM takes lists of texts alone: a number or true is sent as it was written."""
    pairs = place.pairs()
    if len(pairs) > _MOST_PARAMETERS:
        raise place.refused(f"at most {_MOST_PARAMETERS} parameters, not {len(pairs)}")
    expected = "a text, or a list of texts"
    found = []
    for key, value in pairs:
        read = problems.read(value, lambda each: tuple(one.text(expected) for one in each.one_or_more(expected)), ())
        found.append((str(key.value), read))
    return tuple(sorted(found))


def targets(place: Place, problems: Problems) -> Targets:
    """Where it runs."""
    kinds = ("instances", "tags", "resource_group")
    given = problems.keys(place, (*kinds, "once"))
    problems.one_of(place, given, kinds)
    return Targets(
        problems.read(given.get("instances"), fields.texts(_instance, "a list of instance ids", _MOST_INSTANCES), ()),
        problems.read(given.get("tags"), lambda tags: _tags(tags, problems), ()),
        problems.read(given.get("resource_group"), _group, ""),
        problems.read(given.get("once"), lambda flag: flag.flag(), default=False),
    )


def _tags(place: Place, problems: Problems) -> tuple[tuple[str, tuple[str, ...]], ...]:
    pairs = place.pairs()
    if not 0 < len(pairs) <= _MOST_TAGS:
        raise place.refused(f"1 to {_MOST_TAGS} tags, not {len(pairs)}")
    found = []
    for key, value in pairs:
        problems.read(key, _tag_key, "")
        many = isinstance(value.value, list)
        values = fields.texts(_tag_value, "a list of a tag's values", _MOST_VALUES) if many else _alone
        found.append((str(key.value), problems.read(value, values, ())))
    return tuple(sorted(found))


def _alone(place: Place) -> tuple[str, ...]:
    return (_tag_value(place),)
