"""Analyse one JavaScript or TypeScript file: find what it imports, and where that cannot be known."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from kuroshio.changes.imports.analysis import MAX_DOUBTS, VERSION, Analysis, Doubt, Import, Kind, unreadable
from kuroshio.changes.imports.script_lexer import Found, Lexer, Mark, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

# Bundles that were checked in are as large as this; hostile files are larger.
MAX_BYTES = 2 * 1024 * 1024

# How the text is read, by suffix. TypeScript without JSX uses < where an operand is expected for type assertions.
DIALECTS = {
    ".ts": "ts",
    ".mts": "ts",
    ".cts": "ts",
    ".tsx": "tsx",
    ".js": "js",
    ".jsx": "js",
    ".mjs": "js",
    ".cjs": "js",
}

_WORD = re.compile(r"(?:\s++|//[^\n\r\u2028\u2029]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+([\w$]++|[^\s])?", re.DOTALL)
_QUOTED = re.compile(
    r"""'((?:[^'\\\n\r]++|\\.)*+)'|"((?:[^"\\\n\r]++|\\.)*+)"|`((?:[^`\\$]++|\\.|\$(?!\{))*+)`""", re.DOTALL
)
_TEMPLATE_HEAD = re.compile(r"`((?:[^`\\$]++|\\.|\$(?!\{))*+)\$\{", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\r\n|.))", re.DOTALL)
# The compiler imports this package for the elements of the file.
_JSX_SOURCE = re.compile(r"@jsxImportSource[ \t]+([^\s*]+)")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": "", "\r": ""}
# Words between `import` or `export` and the string that it imports from, braces left out.
_MAX_CLAUSE = 12
_LARGEST = 0x10FFFF


def key(dialect: str) -> str:
    """The part of an analysis' key that names language and version."""
    return f"script-{VERSION}-{dialect}"


def analyse(content: bytes, dialect: str) -> Analysis:
    """Return all that a file says about other modules. Never raises: what cannot be read is a doubt."""
    if len(content) > MAX_BYTES:
        return unreadable(f"is larger than {MAX_BYTES} bytes and was not analysed")
    text = content.decode("utf-8-sig", "surrogateescape")
    source = _Source(text, dialect)
    try:
        source.read()
    except Unreadable as error:
        source.doubt(
            error.position, f"cannot be read as {'JavaScript' if dialect == 'js' else 'TypeScript'}: it {error}"
        )
    return source.analysis()


class _Source:
    def __init__(self, text: str, dialect: str) -> None:
        self._text = text
        self._typed = dialect != "js"
        self._lexer = Lexer(text, jsx=dialect != "ts")
        self._imports: dict[Import, None] = {}
        self._doubts: dict[Doubt, None] = {}
        self._line, self._counted = 1, 0

    def analysis(self) -> Analysis:
        return Analysis(tuple(self._imports), tuple(islice(self._doubts, MAX_DOUBTS)))

    def read(self) -> None:
        for pragma in islice(_JSX_SOURCE.finditer(self._text), 1):
            self._add(Kind.MODULE, f"{pragma[1]}/jsx-runtime", 0)
        for found in self._lexer:
            if found.mark is Mark.STRING:
                self._mention(found)
            elif found.mark is Mark.PROPERTY:
                self._property(found)
            else:
                self._word(found)

    def doubt(self, position: int, message: str) -> None:
        self._doubts.setdefault(Doubt(self._line_of(position), message))

    def _add(self, kind: Kind, name: str, position: int) -> None:
        self._imports.setdefault(Import(kind, name, self._line_of(position)))

    def _line_of(self, position: int) -> int:
        if position >= self._counted:
            self._line += self._text.count("\n", self._counted, position)
            self._counted = position
        return self._line

    def _mention(self, found: Found) -> None:
        """A string that looks like a relative path may be handed to a worker, a child process or a mock."""
        if found.text.startswith(("./", "../")) and "\n" not in found.text:
            self._add(Kind.OPTIONAL, unescaped(found.text), found.start)

    def _property(self, found: Found) -> None:
        if found.text == "require":
            self._call(found, must_know=False)

    def _word(self, found: Found) -> None:
        if found.text == "import":
            self._import(found)
        elif found.text == "export":
            self._export(found)
        elif found.text == "require":
            self._require(found)
        elif found.text in ("__dirname", "__filename"):
            self._add(Kind.RESOURCES, "", found.start)
        elif self._peek(found.end)[0] == "(" and found.text in ("eval", "Function"):
            self.doubt(found.start, "runs text as code, which may import anything")
        elif found.text == "createRequire":
            self._create_require(found)

    def _create_require(self, found: Found) -> None:
        """`const require = createRequire(...)` is read like require itself; any other name is not."""
        head = self._text[max(0, found.start - 100) : found.start]
        is_called = self._peek(found.end)[0] == "("
        if is_called and not re.search(r"\brequire\s*=\s*(?:[\w$]+\s*\.\s*)?\Z", head):
            self.doubt(found.start, "makes a require function under another name")

    def _import(self, found: Found) -> None:
        following, end = self._peek(found.end)
        if following == "(":
            self._call(found, must_know=True)
        elif following == ".":
            self._meta(found, end)
        elif following in (":", "=", ",", "}", ")", ";", "?", "!", "<", "]"):
            return  # the name of a property
        else:
            self._declaration(found)

    def _meta(self, found: Found, end: int) -> None:
        word, behind = self._peek(end)
        if word == "meta":
            self._add(Kind.RESOURCES, "", found.start)
        elif word in ("defer", "source") and self._peek(behind)[0] == "(":
            self._call(Found(found.mark, found.text, found.start, behind), must_know=True)

    def _export(self, found: Found) -> None:
        if self._peek(found.end)[0] in ("*", "{", "type"):
            self._declaration(found)

    def _declaration(self, found: Found) -> None:
        """Read `import ... from "x"`, `import "x"` or `export ... from "x"`; leave anything else to the lexer."""
        clause = _Clause(self._text, found.end)
        if clause.read() and clause.name is not None:
            # esbuild keeps `export { type A } from`, whatever tsconfig.json says.
            only_types = self._typed and clause.only_types and found.text == "import"
            if not (self._typed and clause.is_type):
                self._add(Kind.TYPES if only_types else Kind.MODULE, unescaped(clause.name), found.start)
            self._lexer.resume(clause.end)

    def _require(self, found: Found) -> None:
        following, end = self._peek(found.end)
        if following == "(":
            self._call(found, must_know=True)
        elif following == ".":
            self._require_member(found, end)
        elif following == ":" or self._is_declared_or_tested(found, following):
            return
        else:
            self.doubt(found.start, "hands on require, which may then load anything")

    def _is_declared_or_tested(self, found: Found, following: str) -> bool:
        head = self._text[max(0, found.start - 100) : found.start].rstrip()
        return head.endswith("typeof") or (following == "=" and head.endswith(("const", "let", "var")))

    def _require_member(self, found: Found, end: int) -> None:
        member, behind = self._peek(end)
        if member == "resolve" and self._peek(behind)[0] == "(":
            self._call(Found(found.mark, found.text, found.start, behind), must_know=True)
        elif member in ("context", "resolve", "call", "apply", "bind", "extensions"):
            self.doubt(found.start, f"uses require.{member}, which may load anything")

    def _call(self, found: Found, *, must_know: bool) -> None:
        """Note the module that a call imports: `found` ends before its parenthesis."""
        opening, inside = self._peek(found.end)
        if opening != "(":
            return
        _, _, first = self._word_at(inside)
        string = _QUOTED.match(self._text, first)
        if string and self._peek(string.end())[0] in (")", ","):
            self._add(Kind.MODULE, unescaped(string[1] or string[2] or string[3] or ""), found.start)
        elif must_know and not self._is_method(inside):
            self._computed(found, first, string)

    def _computed(self, found: Found, first: int, string: re.Match[str] | None) -> None:
        head = string if string and self._peek(string.end())[0] == "+" else _TEMPLATE_HEAD.match(self._text, first)
        prefix = unescaped(next((group for group in head.groups() if group is not None), "")) if head else ""
        if prefix.startswith(("./", "../")):
            self._add(Kind.PREFIX, prefix, found.start)
        else:
            what = "imports" if found.text == "import" else "requires"
            self.doubt(found.start, f"{what} a module whose name is computed")

    def _is_method(self, inside: int) -> bool:
        """Whether this is no call but a method called import or require: `require(id) {`."""
        close = self._text.find(")", inside, inside + 200)
        return close >= 0 and "(" not in self._text[inside:close] and self._peek(close + 1)[0] == "{"

    def _peek(self, position: int) -> tuple[str, int]:
        word, end, _ = self._word_at(position)
        return word, end

    def _word_at(self, position: int) -> tuple[str, int, int]:
        """Return the next word or character behind space and comments, its end and its beginning."""
        return word_at(self._text, position)


def word_at(text: str, position: int) -> tuple[str, int, int]:
    """Return the next word or character behind space and comments, its end and its beginning."""
    found = _WORD.match(text, position)
    if found is None or found[1] is None:
        return "", len(text), len(text)
    return found[1], found.end(), found.start(1)


class _Clause:
    """Reads what stands between `import` or `export` and the module's name."""

    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self.end = position
        self.name: str | None = None
        self.is_type = False  # import type ... from
        self._values = 0  # names that are not marked as types
        self._types = 0

    @property
    def only_types(self) -> bool:
        """Whether each single name is marked as a type: `import { type A, type B } from`."""
        return self._types > 0 and self._values == 0

    def read(self) -> bool:
        previous = ""
        for count, (word, start) in enumerate(self._words(), start=1):
            if word in "'\"":
                return self._string(start, previous)
            if word == "{":
                if not self._braces():
                    return False
            elif not self._plain(word, count, previous):
                return False
            previous = word
        return False

    def _words(self) -> Iterator[tuple[str, int]]:
        while True:
            word, self.end, start = word_at(self._text, self.end)
            if not word:
                return
            yield word, start

    def _string(self, start: int, previous: str) -> bool:
        string = _QUOTED.match(self._text, start)
        if string is None or previous not in ("", "from"):
            return False
        self.name = string[1] if string[1] is not None else string[2]
        self.end = string.end()
        return True

    def _plain(self, word: str, count: int, previous: str) -> bool:
        """One word outside the braces. `type` first, and not as the imported name itself, makes all of it types."""
        if count > _MAX_CLAUSE or word in ("import", "export", "const", "let", "function", "class"):
            return False
        if count == 1 and word == "type":
            following, behind, _ = word_at(self._text, self.end)
            beyond = word_at(self._text, behind)[0]
            self.is_type = following in ("{", "*") or (following not in (",", "from", "=")) or beyond == "from"
            if self.is_type and following == "from" and beyond in "'\"":
                self.is_type = False
        elif word not in ("from", ",", "*", "as") or previous in ("as", "", "type") or word == "*":
            self._values += 1
        return word in (",", "*") or word.isidentifier() or "$" in word

    def _braces(self) -> bool:
        """Read `{ a, type B as C, "d" as e }`."""
        words: list[str] = []
        for word, start in self._words():
            if word in (",", "}"):
                self._count(words)
                words = []
                if word == "}":
                    return True
            elif word in "'\"":
                string = _QUOTED.match(self._text, start)
                if string is None:
                    return False
                self.end = string.end()
                words.append("")
            elif not (word.isidentifier() or "$" in word):
                return False
            else:
                words.append(word)
        return False

    def _count(self, words: list[str]) -> None:
        """`type A`, `type A as B`, `type as` and `type as as B` are types; `type`, `type as A`, `type as as` are not."""
        if not words:
            return
        is_type = words[0] == "type" and len(words) > 1 and (words[1] != "as" or len(words) in (2, 4))
        if is_type:
            self._types += 1
        else:
            self._values += 1


def unescaped(body: str) -> str:
    """Return what a string literal's body means."""
    return _ESCAPE.sub(_unescape, body) if "\\" in body else body


def _unescape(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    if code:
        number = int(code, 16)
        return chr(number) if number <= _LARGEST else "\ufffd"
    return _SIMPLE.get(escape[4], escape[4])
