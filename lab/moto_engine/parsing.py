"""Definitions: read once. moto parses one anew at each execution, which takes seconds where a machine has forty states."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from antlr4 import CommonTokenStream, InputStream
from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlr.runtime.ASLParser import ASLParser
from moto.stepfunctions.parser.asl.parse import asl_parser

from lab.moto_engine.patching import replace

_KEPT = 64


def patch() -> None:
    replace(asl_parser.AmazonStateLanguageParser, "parse", staticmethod(_parse))


def _parse(definition: str) -> Any:
    """The components anew for each execution, for they may keep things; the syntax tree from before."""
    tree = _tree(definition)
    return asl_parser.Preprocessor().visit(tree), tree


@lru_cache(_KEPT)
def _tree(definition: str) -> Any:
    listener = asl_parser.SyntaxErrorListener()
    parser = ASLParser(CommonTokenStream(ASLLexer(InputStream(definition))))
    parser.removeErrorListeners()
    parser.addErrorListener(listener)
    tree = parser.state_machine()
    if listener.errors:
        raise asl_parser.ASLParserException(errors=listener.errors)
    return tree
