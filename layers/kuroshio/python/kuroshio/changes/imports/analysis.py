"""What one source file says about other modules: a function of its bytes and its language, and of nothing else.

So an analysis can be kept by blob id, and is right for ever (within one VERSION). What the names mean in a tree is
the resolvers' question.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

# Part of the key under which analyses are kept: raise it whenever the same bytes would be analysed differently.
VERSION = 1


class Kind(StrEnum):
    """What the file does with the name."""

    MODULE = "module"  # imports it: it must be there
    OPTIONAL = "optional"  # looks for it, or names it in a string that looks like a module: it may be there
    PREFIX = "prefix"  # imports something whose name is computed and begins like this
    RESOURCES = "resources"  # reads files of this package; "" is the code directory itself
    TYPES = "types"  # imports nothing but types: whether that survives compilation is up to tsconfig.json


@dataclass(frozen=True, slots=True)
class Import:
    """One name in one line. ``names`` are what Python's ``from name import ...`` lists."""

    kind: Kind
    name: str
    line: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something in the file that can lead to modules which cannot be known. ``message`` continues "line N ..."."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that one file says about other modules."""

    imports: tuple[Import, ...] = ()
    doubts: tuple[Doubt, ...] = ()

    def to_json(self) -> str:
        """Write the analysis as compact JSON, for a store."""
        imports = [[each.kind, each.name, each.line, list(each.names)] for each in self.imports]
        return json.dumps([imports, [[each.line, each.message] for each in self.doubts]], separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Analysis:
        """Read what ``to_json`` wrote."""
        imports, doubts = json.loads(text)
        return cls(
            tuple(Import(Kind(kind), name, line, tuple(names)) for kind, name, line, names in imports),
            tuple(Doubt(line, message) for line, message in doubts),
        )


# One doubt widens as much as a thousand do.
MAX_DOUBTS = 20


def unreadable(message: str, line: int = 1) -> Analysis:
    """The analysis of a file that cannot be analysed."""
    return Analysis(doubts=(Doubt(line, message),))
