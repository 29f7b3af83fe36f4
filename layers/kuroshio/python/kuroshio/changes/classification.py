"""What a changed file is when it is no unit's input, as long as ``kuroshio.yaml`` does not say otherwise."""

from __future__ import annotations

import re

# Nothing that is deployed is made of these, unless they lie among a unit's inputs.
_IGNORED = re.compile(
    r"""
      (?:.*/)?(?:README|LICEN[CS]E|NOTICE|CHANGELOG|CONTRIBUTING|CODE_OF_CONDUCT|SECURITY|AUTHORS|CODEOWNERS)(?:\.[^/]*)?
    | .*\.(?:md|markdown|rst|adoc)
    | (?:.*/)?(?:docs?|tests?|__tests__|spec|examples?|events|benchmarks?)/.*
    | \.(?:github|gitlab|circleci|vscode|idea|devcontainer|changeset|husky)/.*
    | \.(?:gitlab-ci\.yml|travis\.yml|pre-commit-config\.yaml|editorconfig|mailmap)
    | (?:.*/)?\.(?:gitignore|gitattributes|gitkeep|keep|prettierrc[^/]*|eslintrc[^/]*|yamllint[^/]*|cfnlintrc[^/]*)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_INFRASTRUCTURE = re.compile(r"(?:.*/)?samconfig\.(?:toml|ya?ml)|.*\.tf", re.DOTALL)


def is_ignored(path: str) -> bool:
    """Whether the path is documentation, tests or continuous integration."""
    return _IGNORED.fullmatch(path) is not None


def is_infrastructure(path: str) -> bool:
    """Whether the path configures deployments without being a template."""
    return _INFRASTRUCTURE.fullmatch(path) is not None
