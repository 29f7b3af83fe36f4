"""The request to replicate a cluster, as the workflow ``replicate_cluster`` and its functions take it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMA = "kuroshio.replicate-request/1"

# RDS's own rule for cluster identifiers: a letter first, no two hyphens in a row, none at the end, at most 63.
_NAME = re.compile(r"(?=.{1,63}\Z)[a-z](?:-?[a-z0-9])*")
_SECRET = re.compile(r"arn:[^:\s]+:secretsmanager:[^:\s]+:\d{12}:secret:\S{1,512}")
_VERSION = re.compile(r"\d+\.\d+[\w.]*")
_POLICIES = ("stop", "skip")
_MODES = ("auto", "full", "delta")
_MOST_SKIPS = 1_000


@dataclass(frozen=True)
class ErrorPolicy:
    """What becomes of an error of replication: ``stop``, or ``skip`` of at most ``most`` of the ``numbers``."""

    policy: str = "stop"
    numbers: tuple[int, ...] = ()
    most: int = 0


@dataclass(frozen=True)
class CloneOptions:
    """How the clone is made. Empty: as the source is."""

    instance_class: str = ""
    subnet_group: str = ""
    security_groups: tuple[str, ...] = ()
    parameter_group: str = ""
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Secrets:
    """ARNs of the secrets with the master users' logins. Empty: those that RDS manages."""

    source: str = ""
    clone: str = ""  # empty where RDS manages none: that of the source, whose password a clone has


@dataclass(frozen=True)
class VerifyEvery:
    """Minutes from one verification of a clone that follows to the next. 0: never again after the first."""

    delta_minutes: int = 60
    full_minutes: int = 24 * 60


@dataclass(frozen=True)
class ReplicateRequest:
    """``source`` and ``clone`` are cluster identifiers. ``upgrade_to``: an engine version, empty for none."""

    source: str
    clone: str
    options: CloneOptions = CloneOptions()
    errors: ErrorPolicy = ErrorPolicy()
    verify: str = "auto"
    upgrade_to: str = ""
    retention_hours: int = 72
    overrides: tuple[str, ...] = ()  # codes of findings that somebody takes upon themselves
    secrets: Secrets = Secrets()
    verify_every: VerifyEvery = VerifyEvery()

    def document(self) -> dict[str, Any]:
        """The request as it travels."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "clone": self.clone,
            "options": {
                "instance_class": self.options.instance_class,
                "subnet_group": self.options.subnet_group,
                "security_groups": list(self.options.security_groups),
                "parameter_group": self.options.parameter_group,
                "tags": dict(self.options.tags),
            },
            "errors": {
                "policy": self.errors.policy,
                "numbers": list(self.errors.numbers),
                "most": self.errors.most,
            },
            "verify": self.verify,
            "upgrade_to": self.upgrade_to,
            "retention_hours": self.retention_hours,
            "overrides": list(self.overrides),
            "secrets": {"source": self.secrets.source, "clone": self.secrets.clone},
            "verify_every": {
                "delta_minutes": self.verify_every.delta_minutes,
                "full_minutes": self.verify_every.full_minutes,
            },
        }


def parse(event: object) -> ReplicateRequest:
    """Return the request in ``event``. Unknown fields are left alone: Step Functions adds some of its own.

    Raises InvalidRequest that names every field which is wrong, and what it must be.
    """
    if not isinstance(event, dict):
        raise InvalidRequest(f"the request is {_shown(event)}; it must be an object with the schema {SCHEMA}")
    whole = _DEFAULTS | event
    parts = {name: defaults | whole[name] for name, (defaults, _) in _PARTS.items() if isinstance(whole[name], dict)}
    wrong = [
        *_broken(whole, _RULES, ""),
        *(each for name, given in parts.items() for each in _broken(given, _PARTS[name][1], f"{name}.")),
    ]
    if not wrong and whole["source"] == whole["clone"]:
        wrong = ["clone is the name of the source; it must be a name that no cluster has"]
    if wrong:
        raise InvalidRequest(". ".join(wrong))
    options, errors, secrets, every = (parts[name] for name in ("options", "errors", "secrets", "verify_every"))
    return ReplicateRequest(
        source=whole["source"],
        clone=whole["clone"],
        options=CloneOptions(
            options["instance_class"],
            options["subnet_group"],
            tuple(options["security_groups"]),
            options["parameter_group"],
            tuple(sorted(options["tags"].items())),
        ),
        errors=ErrorPolicy(errors["policy"], tuple(errors["numbers"]), errors["most"]),
        verify=whole["verify"],
        upgrade_to=whole["upgrade_to"],
        retention_hours=whole["retention_hours"],
        overrides=tuple(whole["overrides"]),
        secrets=Secrets(secrets["source"], secrets["clone"]),
        verify_every=VerifyEvery(every["delta_minutes"], every["full_minutes"]),
    )


def _broken(given: Mapping[str, Any], rules: Mapping[str, tuple[Callable[[Any], bool], str]], prefix: str) -> list[str]:
    return [
        f"{prefix}{field} is {_shown(given.get(field))}; it must be {rule}"
        for field, (holds, rule) in rules.items()
        if not holds(given.get(field))
    ]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_list(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(of(item) for item in value)


def _are_tags(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_text(item) for pair in value.items() for item in pair)


_NAME_RULE = "a cluster identifier: lower-case letters, digits and single hyphens, a letter first, at most 63"
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "schema": (lambda value: value == SCHEMA, SCHEMA),
    "source": (_is_name, _NAME_RULE),
    "clone": (_is_name, _NAME_RULE),
    "options": (lambda value: isinstance(value, dict), "an object"),
    "errors": (lambda value: isinstance(value, dict), "an object"),
    "verify": (lambda value: value in _MODES, "one of " + ", ".join(_MODES)),
    "upgrade_to": (
        lambda value: _is_text(value) and (not value or _VERSION.fullmatch(value) is not None),
        "an engine version such as 8.0.mysql_aurora.3.08.0, or empty",
    ),
    "retention_hours": (_is_number(1, 2160), "1 to 2160, the hours that RDS keeps a binlog"),
    "overrides": (_is_list(_is_text), "a list of codes of findings"),
    "secrets": (lambda value: isinstance(value, dict), "an object"),
    "verify_every": (lambda value: isinstance(value, dict), "an object"),
}
_OPTION_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "instance_class": (_is_text, "an instance class, or empty for that of the source"),
    "subnet_group": (_is_text, "a DB subnet group, or empty for that of the source"),
    "security_groups": (_is_list(_is_text), "a list of security group ids, empty for those of the source"),
    "parameter_group": (_is_text, "a cluster parameter group, or empty for that of the source"),
    "tags": (_are_tags, "an object of texts"),
}
_ERROR_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "policy": (lambda value: value in _POLICIES, "stop or skip"),
    "numbers": (_is_list(_is_number(1, 65_535)), "a list of MySQL's error numbers"),
    "most": (_is_number(0, _MOST_SKIPS), f"0 to {_MOST_SKIPS}"),
}
_SECRET_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    name: (
        lambda value: _is_text(value) and (not value or _SECRET.fullmatch(value) is not None),
        "the ARN of a secret, or empty for the one that RDS manages",
    )
    for name in ("source", "clone")
}
_EVERY_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    name: (_is_number(0, 43_200), "0 for never, or minutes, up to 43200 (30 days)")
    for name in ("delta_minutes", "full_minutes")
}
_OPTIONS: dict[str, Any] = {
    "instance_class": "",
    "subnet_group": "",
    "security_groups": [],
    "parameter_group": "",
    "tags": {},
}
_ERRORS: dict[str, Any] = {"policy": "stop", "numbers": [], "most": 0}
_DEFAULTS: dict[str, Any] = {
    "options": {},
    "errors": {},
    "verify": "auto",
    "upgrade_to": "",
    "retention_hours": 72,
    "overrides": [],
    "secrets": {},
    "verify_every": {},
}
_PARTS: dict[str, tuple[dict[str, Any], dict[str, tuple[Callable[[Any], bool], str]]]] = {
    "options": (_OPTIONS, _OPTION_RULES),
    "errors": (_ERRORS, _ERROR_RULES),
    "secrets": ({"source": "", "clone": ""}, _SECRET_RULES),
    "verify_every": ({"delta_minutes": 60, "full_minutes": 24 * 60}, _EVERY_RULES),
}


def _shown(value: Any) -> str:
    return "missing" if value is None else ascii(value)[:120]


def is_cluster_name(value: Any) -> bool:
    """Whether RDS takes it for the identifier of a cluster."""
    return _is_name(value)


def is_secret(value: Any) -> bool:
    """Whether it is the ARN of a secret."""
    return _is_text(value) and _SECRET.fullmatch(value) is not None
