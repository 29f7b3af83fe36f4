"""Machines judged from the inside, and the judge judged by defects that are put into a machine of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab.lint import machines
from tests.workflows.machine import NAMES

ROOT = Path(__file__).parents[2]
MACHINES = {Path(machine.path).name.removesuffix(".asl.yaml"): machine for machine in machines.machines(ROOT)}


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_is_sound_from_the_inside(name: str) -> None:
    assert machines.judge(MACHINES[name]) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "said"),
    [
        ("    Next: DiscardBundle\n", "    Next: DiscardBundel\n", "target", "does not exist"),
        ("    Next: DiscardBundle\n", "    Next: PlanWritten\n", "reachable", "nothing leads here"),
        ("    TimeoutSeconds: 150\n", "", "timeout", "waits for as long"),
        ("ErrorEquals: [Outpaced, ServiceUnavailable]", "ErrorEquals: [Outpaced, ServiceUnavailible]", "error", "no class of"),
        ("ErrorEquals: [Outpaced, ServiceUnavailable]", "ErrorEquals: [States.ALL]", "retry", "not the standard ones"),
        ("          - Lambda.SdkClientException\n", "", "retry", "not the standard ones"),
        ("        JitterStrategy: FULL\n", "", "retry", "lacks JitterStrategy"),
        ("${PlanBucket}", "${PlansBucket}", "substitution", "${PlansBucket} is used"),
        ("${PlanBucket}", "plans", "substitution", "defines PlanBucket, and nothing uses it"),
        ("aws-sdk:s3:deleteObject", "aws-sdk:s3:removeObject", "integration", "s3 has no action removeObject"),
        ("aws-sdk:s3:deleteObject", "aws-sdk:s4:deleteObject", "integration", "knows no service s4"),
        ('      Key: "{% $states', '      Keys: "{% $states', "integration", "DeleteObject has no parameter Keys"),
        ('      Key: "{% $states', '      Keys: "{% $states', "integration", "DeleteObject needs the parameter Key"),
        ("PlanWritten", "Plan written", "name", "PascalCase"),
        ("    Comment: The original error, not that of the cleaning up.\n", "", "comment", "say why"),
        ("QueryLanguage: JSONata", "QueryLanguage: JSONPath", "head", "not JSONata"),
        ("TimeoutSeconds: 900\n", "", "head", "TimeoutSeconds is missing at the top"),
    ],
)  # fmt: skip
def test_a_defect_is_found(old: str, new: str, rule: str, said: str) -> None:
    sound = MACHINES["detect_changes"]
    text = sound.text.replace(old, new) if old == "PlanWritten" else sound.text.replace(old, new, 1)
    assert text != sound.text

    found = machines.judge(machines.Machine(sound.path, text, sound.given))

    assert [finding for finding in found if finding.rule == rule and said in finding.message]


def test_a_machine_that_no_template_deploys_is_found() -> None:
    sound = MACHINES["detect_changes"]

    found = machines.judge(machines.Machine(sound.path, sound.text, None))

    assert [finding.message for finding in found] == [
        "no state machine of a template has this file as its DefinitionUri"
    ]


def test_names_and_graphs_are_judged_inside_of_maps_and_branches_too() -> None:
    text = MACHINES["detect_changes"].text
    inner = re.sub(
        r"^",
        "        ",
        text[text.index("StartAt") :].replace("Next: DiscardBundle", "Next: Nowhere"),
        flags=re.MULTILINE,
    )
    outer = f"Comment: c\nQueryLanguage: JSONata\nTimeoutSeconds: 9\nStartAt: Each\nStates:\n  Each:\n    Comment: c\n    Type: Map\n    ItemProcessor:\n{inner}\n    End: true\n"

    found = machines.judge(machines.Machine("x", outer, MACHINES["detect_changes"].given))

    assert {(finding.where, finding.rule) for finding in found} == {
        ("x:Nowhere", "target"),
        ("x:DiscardBundle", "reachable"),
        ("x:PlanWritten", "reachable"),
    }
