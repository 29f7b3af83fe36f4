"""The judges are judged: each finds a defect that is put into a copy of our own files."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.lint import judges, workplace

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
CI = ".github/workflows/ci.yml"
EXPANDED = ("cfn-lint", "parliament", "cfn-guard", "checkov (templates)")
MACHINE = "statemachines/detect_changes.asl.yaml"


@dataclass(frozen=True)
class Defect:
    judge: str
    rule: str
    path: str
    old: str
    new: str


DEFECTS = {
    "an action that does not exist": Defect(
        "parliament", "UNKNOWN_ACTION", "template.yaml", "dynamodb:PutItem", "dynamodb:PutItems"
    ),
    "an action that does not exist, to cfn-lint": Defect(
        "cfn-lint", "W3037", "template.yaml", "dynamodb:PutItem", "dynamodb:PutItems"
    ),
    "an attribute that does not exist": Defect(
        "cfn-lint", "E1010", "template.yaml", "!GetAtt UnrecordedRunsQueue.Arn", "!GetAtt UnrecordedRunsQueue.Arm"
    ),
    "a misspelt property": Defect("sam validate", "", "template.yaml", "      MemorySize: 1769", "      MemorySice: 1769"),
    "a type of state that does not exist, to cfn-lint": Defect("cfn-lint", "E3601", MACHINE, "Type: Succeed", "Type: Success"),
    "a type of state that does not exist": Defect("asl-validator", "", MACHINE, "Type: Succeed", "Type: Success"),
    "a type of state that does not exist, to statelint": Defect("statelint", "", MACHINE, "Type: Succeed", "Type: Success"),
    "a retrier for all errors": Defect(
        "states from the inside", "retry", MACHINE, "ErrorEquals: [Outpaced, ", "ErrorEquals: [States.ALL, "
    ),
    "an expression that does not parse": Defect("asl-validator", "", MACHINE, "$states.input %}", "$states.( %}"),
    "a target that does not exist": Defect("states from the inside", "target", MACHINE, "Next: PlanWritten", "Next: Done"),
    "a role that any repository may take": Defect(
        "cfn-guard",
        "github_roles_name_whole_subjects",
        "foundation.yaml",
        '                "token.actions.githubusercontent.com:sub": !Ref GitHubSubjects\n',
        "",
    ),
    "a bucket that may be public": Defect(
        "checkov (templates)", "CKV_AWS_5*", "foundation.yaml", "BlockPublicPolicy: true", "BlockPublicPolicy: false"
    ),
    "a bucket that may be public, to Control Tower": Defect(
        "cfn-guard", "s3_bucket_level*", "foundation.yaml", "BlockPublicAcls: true", "BlockPublicAcls: false"
    ),
    "an action that is not pinned": Defect("zizmor", "", CI, "      - name: Lint\n", "      - uses: actions/checkout@v4\n      - name: Lint\n"),
    "an expression over nothing": Defect("actionlint", "", CI, "github.server_url", "githup.server_url"),
    "a job without a limit": Defect("check-jsonschema", "", CI, "    timeout-minutes: 20\n", ""),
    "an image by a tag that moves": Defect(
        "hadolint", "", "functions/Dockerfile", "debian:trixie-slim AS system", "debian:latest AS system"
    ),
    "a key in the environment": Defect(
        "detect-secrets", "AWSAccessKey", "template.yaml", "POWERTOOLS_METRICS_NAMESPACE: Kuroshio", "KEY: AKIA" + "Q3EGR7ZMXKPLWTYV"
    ),
    "a word that expands to nothing": Defect("shellcheck", "SC2115", "lab/bin/lock", "set -euo pipefail\n", 'set -euo pipefail\nrm -rf "$1/"*\n'),
    "code from outside": Defect(
        "bandit", "B307", "functions/record_run/handler.py", "return wiring", "return eval(str(event)) or wiring"
    ),
    "a word that is misspelt": Defect("codespell", "", "docs/deploy.md", "deployment", "d" + "eployement"),
}  # fmt: skip


@pytest.fixture(scope="module")
def installed() -> Iterator[workplace.Workplace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
        patch.setenv("SAM_CLI_TELEMETRY", "0")
        yield workplace.prepared(ROOT)


@pytest.mark.soak
@pytest.mark.parametrize("name", DEFECTS)
def test_a_seeded_defect_is_found(name: str, installed: workplace.Workplace, tmp_path: Path) -> None:
    defect = DEFECTS[name]
    place = workplace.Workplace(tmp_path / "copy", tmp_path / "build")
    shutil.copytree(installed.tree, place.root)
    spoilt = place.root / defect.path
    assert defect.old in spoilt.read_text()
    spoilt.write_text(spoilt.read_text().replace(defect.old, defect.new, 1))
    shutil.copytree(place.root, place.tree)
    for tool in ("node", "checkov", "check-jsonschema", "parliament"):
        (place.build / tool).symlink_to(installed.build / tool)
    if defect.judge in EXPANDED:
        workplace.expand(place)

    before, after = judges.ALL[defect.judge](installed), judges.ALL[defect.judge](place)

    known = {(one.rule, one.message) for one in before}
    news = [found for found in after if (found.rule, found.message) not in known]
    assert [found for found in news if fnmatchcase(found.rule, defect.rule or "*")]
