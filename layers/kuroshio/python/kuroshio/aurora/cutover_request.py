"""The request to cut over to a clone, as the workflows ``cut_over`` and ``cut_back`` and their function take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.request import Secrets, is_cluster_name, is_secret
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SCHEMA = "kuroshio.cut-over-request/1"

KINDS: Mapping[str, tuple[str, ...]] = {
    "cluster": (),  # the source's own name: its endpoints go with it
    "record": ("zone", "record"),
    "secret": ("secret",),
    "parameter": ("parameter",),
}
# A rename of a cluster takes RDS its time, in which nobody can write; the others are one call.
_DEADLINES = {"cluster": 600, "record": 30, "secret": 30, "parameter": 30}
# Lambda gives a function 900 s. Undoing may take as long as what was done.
_LONGEST_DEADLINE_S = 780
_OTHERWISE = "-old"


@dataclass(frozen=True)
class NameChoice:
    """What applications connect by: one of ``KINDS``, and the fields of that kind."""

    kind: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, str]:
        """As it travels."""
        return {"kind": self.kind, **self.fields}


@dataclass(frozen=True)
class CutOverRequest:
    """``source`` and ``clone`` are what the clusters were called when the clone was made."""

    source: str
    clone: str
    name: NameChoice
    deadline_s: int
    caught_up_within_s: int = 5
    verified_within_minutes: int = 24 * 60
    longest_transaction_s: int = 10
    way_back: bool = True
    dry_run: bool = False
    accept: tuple[str, ...] = ()  # conditions that somebody takes upon themselves
    secrets: Secrets = field(default_factory=Secrets)
    replication_secret: str = ""  # ARN; empty for that of the account by which the clone follows

    @property
    def parked(self) -> str:
        """What the source is called once its name is the clone's."""
        return self.source + _OTHERWISE

    def document(self) -> dict[str, Any]:
        """The request as it travels."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "clone": self.clone,
            "name": self.name.document(),
            "deadline_s": self.deadline_s,
            "caught_up_within_s": self.caught_up_within_s,
            "verified_within_minutes": self.verified_within_minutes,
            "longest_transaction_s": self.longest_transaction_s,
            "way_back": self.way_back,
            "dry_run": self.dry_run,
            "accept": list(self.accept),
            "secrets": {"source": self.secrets.source, "clone": self.secrets.clone},
            "replication_secret": self.replication_secret,
        }


def parse(event: object) -> CutOverRequest:
    """Return the request in ``event``. Unknown fields are left alone: Step Functions adds some of its own.

    Raises InvalidRequest that names every field which is wrong, and what it must be.
    """
    if not isinstance(event, dict):
        raise InvalidRequest(f"the request is {_shown(event)}; it must be an object with the schema {SCHEMA}")
    name = event.get("name", {"kind": "cluster"})
    kind = name.get("kind") if isinstance(name, dict) else None
    whole = _DEFAULTS | {"deadline_s": _DEADLINES.get(str(kind), 30)} | event
    secrets = {"source": "", "clone": ""} | whole["secrets"] if isinstance(whole["secrets"], dict) else {}
    wrong = [*_broken(whole, _RULES, ""), *_wrong_name(name), *_broken(secrets, _SECRET_RULES, "secrets.")]
    if not wrong and whole["source"] == whole["clone"]:
        wrong = ["clone is the name of the source; it must be the clone's own"]
    if wrong:
        raise InvalidRequest(". ".join(wrong))
    return CutOverRequest(
        source=whole["source"],
        clone=whole["clone"],
        name=NameChoice(str(kind), {each: name[each] for each in KINDS[str(kind)]}),
        deadline_s=whole["deadline_s"],
        caught_up_within_s=whole["caught_up_within_s"],
        verified_within_minutes=whole["verified_within_minutes"],
        longest_transaction_s=whole["longest_transaction_s"],
        way_back=whole["way_back"],
        dry_run=whole["dry_run"],
        accept=tuple(whole["accept"]),
        secrets=Secrets(secrets["source"], secrets["clone"]),
        replication_secret=whole["replication_secret"],
    )


def _wrong_name(name: object) -> list[str]:
    if not isinstance(name, dict) or name.get("kind") not in KINDS:
        kinds = "; ".join(" with ".join([kind, ", ".join(needs)]) if needs else kind for kind, needs in KINDS.items())
        return [f"name is {_shown(name)}; it must be an object whose kind is one of: {kinds}"]
    rules = dict.fromkeys(KINDS[name["kind"]], (_is_filled, "a text"))
    return _broken(name, rules, "name.")


def _broken(given: Mapping[str, Any], rules: Mapping[str, tuple[Callable[[Any], bool], str]], prefix: str) -> list[str]:
    return [
        f"{prefix}{each} is {_shown(given.get(each))}; it must be {rule}"
        for each, (holds, rule) in rules.items()
        if not holds(given.get(each))
    ]


def _is_filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


_NAME_RULE = "a cluster identifier: lower-case letters, digits and single hyphens, a letter first, at most 63"
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "schema": (lambda value: value == SCHEMA, SCHEMA),
    "source": (lambda value: is_cluster_name(value) and is_cluster_name(value + _OTHERWISE), f"{_NAME_RULE} with -old"),
    "clone": (is_cluster_name, _NAME_RULE),
    "deadline_s": (
        _is_number(1, _LONGEST_DEADLINE_S),
        f"1 to {_LONGEST_DEADLINE_S}, the seconds for which nobody may be able to write",
    ),
    "caught_up_within_s": (_is_number(1, 60), "1 to 60"),
    "verified_within_minutes": (_is_number(1, 60 * 24 * 31), "1 to 44640"),
    "longest_transaction_s": (_is_number(1, 3_600), "1 to 3600"),
    "way_back": (_is_flag, "true or false"),
    "dry_run": (_is_flag, "true or false"),
    "accept": (_are_texts, "a list of names of conditions"),
    "secrets": (lambda value: isinstance(value, dict), "an object"),
    "replication_secret": (lambda value: value == "" or is_secret(value), "the ARN of a secret, or empty"),
}
_SECRET_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    side: (lambda value: value == "" or is_secret(value), "the ARN of a secret, or empty")
    for side in ("source", "clone")
}
_DEFAULTS: dict[str, Any] = {
    "caught_up_within_s": 5,
    "verified_within_minutes": 24 * 60,
    "longest_transaction_s": 10,
    "way_back": True,
    "dry_run": False,
    "accept": [],
    "secrets": {},
    "replication_secret": "",
}


def _shown(value: Any) -> str:
    return "missing" if value is None else ascii(value)[:120]
