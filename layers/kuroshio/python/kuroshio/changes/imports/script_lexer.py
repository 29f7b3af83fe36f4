"""Find the words of a JavaScript or TypeScript file that matter for imports, among all that only looks like them.

The lexer jumps from one character that can change the meaning of what follows (a quote, a slash, a bracket, ``<``) or
one word that is looked for, to the next, and keeps a stack of what is open. What lies between two jumps is read again
only where a ``/`` may be a division or the beginning of a regular expression, or ``<`` a comparison or JSX.

Source: ECMA-262 chapter 12 (lexical grammar, with its four goal symbols) and the JSX specification. TypeScript adds
generics, which look like JSX in .tsx files (told apart as TypeScript and esbuild do), and ``!`` behind an operand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = ("import", "export", "require", "eval", "Function", "createRequire", "__dirname", "__filename")

_JUMP = re.compile(r"""['"`/(){}\[\]<]|(?<![\w$\\#])(?:""" + "|".join(WORDS) + r""")(?![\w$\\])|\\u""")
_STRINGS = {
    "'": re.compile(r"'((?:[^'\\\n\r]++|\\(?:\r\n|.))*+)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\\n\r]++|\\(?:\r\n|.))*+)"', re.DOTALL),
}
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n\r\u2028\u2029]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*+\])++/[\w$]*+")
_TEMPLATE = re.compile(r"(?:[^`\\$]++|\\.|\$(?!\{))*+", re.DOTALL)
_LINE = re.compile(r"[^\n\r\u2028\u2029]*+")
_BEFORE_REGEX = frozenset(
    {"return", "typeof", "instanceof", "in", "of", "new", "delete", "void", "throw", "case", "do", "else"}
    | {"await", "yield", "default", "extends"}
)
_BEFORE_PAREN = ("if", "while", "for", "with", "await")
# `<T,>`, `<T extends X>` and `<const T` begin an arrow function's type parameters, not an element.
_TYPE_PARAMETERS = re.compile(r"<\s*(?:const\s+)?[\w$]+\s*(?:,|=(?!>)|extends\s+(?![=/>]))")
_SIGNATURE = re.compile(r"<\s*([\w$]+)\s*>\s*\(")
_TAG = re.compile(r"""[^/<>{"'\s=]++""")
_JSX_STRINGS = {"'": re.compile(r"'[^']*+'"), '"': re.compile(r'"[^"]*+"')}
_JSX_TEXT = re.compile(r"[^<{]*+")
_ANGLES = re.compile(r"=>|[<>]")
_SPACE = re.compile(r"\s*+")

# One more than the longest word that means something here.
_LONGEST_KEYWORD = len("instanceof") + 1

# Real code nests a few dozen deep; generated code a few hundred.
_MAX_DEPTH = 2000
# Slashes that could begin a regular expression but do not: each costs the rest of its line.
_MAX_LOST_SLASHES = 50
# Names that are looked for in the whole text.
_MAX_SIGNATURES = 50


class Unreadable(Exception):  # noqa: N818 - caught where the file is analysed, never raised to callers
    """The text does not follow the grammar, or this lexer's idea of it: nothing in it can be trusted."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


class Mark(Enum):
    """What was found."""

    WORD = auto()  # one of WORDS, as an identifier and not as a property behind a dot
    PROPERTY = auto()  # one of WORDS behind a dot
    STRING = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: ``text`` is the word, or the body of the string with its escapes."""

    mark: Mark
    text: str
    start: int
    end: int


class _Open(Enum):
    """What is open, innermost last."""

    PAREN = auto()
    HEAD = auto()  # the parenthesis behind if, while, for, with: an operand may follow it
    BRACE = auto()
    BRACKET = auto()
    SUBSTITUTION = auto()  # ${ in a template
    TAG = auto()  # between < and > of an element
    CHILDREN = auto()  # between its tags
    CONTAINER = auto()  # { in a tag or among children


_CLOSED_BY = {
    ")": (_Open.PAREN, _Open.HEAD),
    "]": (_Open.BRACKET,),
    "}": (_Open.BRACE, _Open.SUBSTITUTION, _Open.CONTAINER),
}
_OPENS = {"(": _Open.PAREN, "[": _Open.BRACKET, "{": _Open.BRACE}


class Lexer:
    """Reads one text. ``jsx``: whether ``<`` may begin an element where an operand is expected."""

    def __init__(self, text: str, *, jsx: bool) -> None:
        self._text = text
        self._jsx = jsx
        self._at = 0  # where to go on
        self._open: list[_Open] = []
        self._last = ";"  # what came before the text between the last two jumps
        self._since = 0  # where that text begins
        self._lost_slashes = 0
        self._closing: dict[str, int] = {}  # where elements of a name end for the last time

    def __iter__(self) -> Iterator[Found]:
        """Yield the findings in order. Raises Unreadable."""
        if self._text.startswith("#!"):
            self._skip_line(0)
        while True:
            begun = self._at
            inside = self._open[-1] if self._open else None
            if inside is _Open.CHILDREN:
                self._children()
            elif inside is _Open.TAG:
                self._tag()
            else:
                jump = _JUMP.search(self._text, self._at)
                if jump is None:
                    break
                yield from self._meet(jump)
            if self._at <= begun:
                raise Unreadable(begun, "cannot be followed")
        if self._open:
            raise Unreadable(len(self._text), "ends inside a bracket")

    def resume(self, position: int) -> None:
        """Go on behind a declaration that the caller read on its own."""
        self._ends(position, ";")

    def _meet(self, jump: re.Match[str]) -> Iterator[Found]:
        what, start = jump[0], jump.start()
        if what in _STRINGS:
            string = self._string(start, what)
            yield Found(Mark.STRING, string[1], start, string.end())
            self._ends(string.end(), "''")
        elif what == "`":
            self._at = start + 1
            whole = self._template()
            if whole is not None:
                yield Found(Mark.STRING, whole, start, self._at)
        elif what == "/":
            self._slash(start)
        elif what == "<":
            self._angle(start)
        elif what in _OPENS:
            self._opens(start, what)
        elif what in _CLOSED_BY:
            self._closes(start, what)
        elif what == "\\u":
            raise Unreadable(start, "writes a name with escapes")
        else:
            mark = Mark.PROPERTY if self._before(start) == "." else Mark.WORD
            self._ends(jump.end(), what if mark is Mark.WORD else "property")
            yield Found(mark, what, start, jump.end())

    def _ends(self, position: int, last: str) -> None:
        self._at = self._since = position
        self._last = last

    def _before(self, position: int) -> str:
        """Return the last token before ``position``, comments left out."""
        between = self._text[self._since : position].rstrip()
        return _last_token(between) if between else self._last

    def _wants_operand(self, position: int) -> bool:
        """Whether an operand, and not an operator, is expected at ``position``."""
        last = self._before(position)
        if _is_word(last[-1]):
            return last in _BEFORE_REGEX and not self._is_property(position, last)
        if last in ("++", "--", "!"):
            return not self._is_postfix(position, last)
        return last not in (")", "]", "''", ".")

    def _is_property(self, position: int, word: str) -> bool:
        head = self._text[self._since : position].rstrip().removesuffix(word).rstrip()
        return head.endswith(".") and not head.endswith("...")

    def _is_postfix(self, position: int, operator: str) -> bool:
        head = self._text[self._since : position].rstrip().removesuffix(operator)
        before = _last_token(head) if head.strip() else self._last
        if operator == "!" and head != head.rstrip():
            return False
        return before in (")", "]", "''") or (_is_word(before[-1]) and before not in _BEFORE_REGEX)

    def _string(self, start: int, quote: str) -> re.Match[str]:
        string = _STRINGS[quote].match(self._text, start)
        if string is None:
            raise Unreadable(start, "has a string without an end")
        return string

    def _template(self) -> str | None:
        """Go on in a template; return the whole of it when it has no substitution."""
        start = self._at
        end = _end(_TEMPLATE, self._text, start)
        if end >= len(self._text) or self._text[end] == "\\":
            raise Unreadable(start, "has a template without an end")
        if self._text[end] == "`":
            self._ends(end + 1, "''")
            return self._text[start:end]
        self._push(_Open.SUBSTITUTION, end)
        self._ends(end + 2, "(")
        return None

    def _slash(self, start: int) -> None:
        following = self._text[start + 1 : start + 2]
        if following == "/":
            self._keep_last(start)
            self._skip_line(start)
        elif following == "*":
            self._keep_last(start)
            end = self._text.find("*/", start + 2)
            if end < 0:
                raise Unreadable(start, "has a comment without an end")
            self._at = self._since = end + 2
        elif self._wants_operand(start):
            self._regex(start)
        else:
            self._ends(start + 1, "/")

    def _keep_last(self, position: int) -> None:
        """A comment comes: what stands before it stays the last token."""
        self._last = self._before(position)
        self._since = position

    def _skip_line(self, start: int) -> None:
        self._at = self._since = _end(_LINE, self._text, start)

    def _regex(self, start: int) -> None:
        regex = _REGEX.match(self._text, start)
        if regex:
            self._ends(regex.end(), "''")
            return
        self._lost_slashes += 1
        if self._before(start) != "}" or self._lost_slashes > _MAX_LOST_SLASHES:
            raise Unreadable(start, "has a regular expression without an end")
        self._ends(start + 1, "/")

    def _opens(self, start: int, bracket: str) -> None:
        is_head = bracket == "(" and self._is_head(start)
        self._push(_Open.HEAD if is_head else _OPENS[bracket], start)
        self._ends(start + 1, bracket)

    def _is_head(self, start: int) -> bool:
        between = self._text[self._since : start].rstrip()
        if not between.endswith(_BEFORE_PAREN):
            return False
        word = _last_token(between)
        if word == "await":  # for await (...)
            return between.split()[-2:] == ["for", "await"]
        return word in _BEFORE_PAREN and not self._is_property(start, word)

    def _push(self, what: _Open, position: int) -> None:
        if len(self._open) >= _MAX_DEPTH:
            raise Unreadable(position, f"nests more than {_MAX_DEPTH} deep")
        self._open.append(what)

    def _closes(self, start: int, bracket: str) -> None:
        if not self._open or self._open[-1] not in _CLOSED_BY[bracket]:
            raise Unreadable(start, f"has a {bracket} that closes nothing")
        closed = self._open.pop()
        if closed is _Open.SUBSTITUTION:
            self._at = start + 1
            self._template()
        else:
            self._ends(start + 1, {_Open.HEAD: "if ()"}.get(closed, bracket))

    def _angle(self, start: int) -> None:
        if self._jsx and self._begins_element(start):
            self._element(start)
        else:
            self._ends(start + 1, "<")

    def _begins_element(self, start: int) -> bool:
        if self._before(start) == "}" or not self._wants_operand(start):
            return False
        if _TYPE_PARAMETERS.match(self._text, start):
            return False
        signature = _SIGNATURE.match(self._text, start)
        return signature is None or self._is_closed_behind(signature[1], start)

    def _is_closed_behind(self, name: str, start: int) -> bool:
        """Whether an element of this name ends behind ``start``; otherwise ``<T>(`` begins a type in a .tsx file."""
        if name not in self._closing and len(self._closing) < _MAX_SIGNATURES:
            self._closing[name] = self._text.rfind(f"</{name}")
        return self._closing.get(name, len(self._text)) > start

    def _element(self, start: int) -> None:
        self._push(_Open.TAG, start)
        self._ends(start + 1, "<")

    def _tag(self) -> None:
        """Read one part of a tag: a name, an attribute's value, or its end."""
        at = _end(_SPACE, self._text, self._at)
        what = self._text[at : at + 1]
        if not what:
            raise Unreadable(at, "ends inside a tag")
        if what in _JSX_STRINGS:
            string = _JSX_STRINGS[what].match(self._text, at)
            if string is None:
                raise Unreadable(at, "has a string without an end")
            self._ends(string.end(), "''")
        elif what == "{":
            self._push(_Open.CONTAINER, at)
            self._ends(at + 1, "(")
        elif what == "<":
            self._angle_in_tag(at)
        elif what == ">":
            self._open[-1] = _Open.CHILDREN
            self._at = at + 1
        elif what == "/":
            self._slash_in_tag(at)
        elif what == "=":
            self._ends(at + 1, "=")
        else:
            self._ends(_end(_TAG, self._text, at), "name")

    def _angle_in_tag(self, at: int) -> None:
        """An element as an attribute's value, or type arguments, which are left out."""
        if self._last == "=":
            self._element(at)
            return
        depth = 0
        for each in _ANGLES.finditer(self._text, at, at + 10_000):
            depth += {"<": 1, ">": -1}.get(each[0], 0)
            if not depth:
                self._ends(each.end(), "name")
                return
        raise Unreadable(at, "has type arguments without an end")

    def _slash_in_tag(self, at: int) -> None:
        following = self._text[at + 1 : at + 2]
        if following == "/":
            self._skip_line(at)
        elif following == "*":
            self._slash(at)
        else:
            close = _end(_SPACE, self._text, at + 1)
            if self._text[close : close + 1] != ">":
                raise Unreadable(at, "has a slash inside a tag")
            self._end_element(close + 1)

    def _end_element(self, position: int) -> None:
        self._open.pop()
        self._ends(position, "element")

    def _children(self) -> None:
        """Read text up to a tag or a container."""
        at = _end(_JSX_TEXT, self._text, self._at)
        if at >= len(self._text):
            raise Unreadable(at, "ends inside an element")
        if self._text[at] == "{":
            self._push(_Open.CONTAINER, at)
            self._ends(at + 1, "(")
            return
        name = _end(_SPACE, self._text, at + 1)
        if self._text[name : name + 1] != "/":
            self._element(at)
            return
        end = self._text.find(">", name)
        if end < 0:
            raise Unreadable(at, "ends inside a tag")
        self._end_element(end + 1)


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return where the match at ``position`` ends; ``position`` itself where there is none."""
    found = pattern.match(text, position)
    return found.end() if found else position


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_$"


def _last_token(text: str) -> str:
    """Return the last word or operator of ``text``, which does not end in space."""
    if not _is_word(text[-1]):
        return next((each for each in ("...", "++", "--", "=>") if text.endswith(each)), text[-1])
    start = len(text) - 1
    while start and len(text) - start < _LONGEST_KEYWORD and _is_word(text[start - 1]):
        start -= 1
    return text[start:]
