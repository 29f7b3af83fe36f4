"""What is accepted is accepted for a reason, exactly, and for as long as a judge objects."""

from __future__ import annotations

from lab.lint import judges
from lab.lint.exceptions import Exemption, exemptions, remaining
from lab.lint.finding import Finding

OBJECTION = Finding("template.json:AWS::SQS::Queue.Letters", "CKV_AWS_27", "not encrypted")
ACCEPTED = Exemption("checkov", "CKV_AWS_27", "template.json:AWS::SQS::Queue.*", "it is encrypted otherwise")


def test_an_accepted_finding_is_gone() -> None:
    assert remaining("checkov", [OBJECTION], [ACCEPTED]) == []


def test_the_same_rule_elsewhere_or_of_another_judge_is_not_accepted() -> None:
    elsewhere = Finding("foundation.json:AWS::SQS::Queue.Letters", "CKV_AWS_27", "not encrypted")

    assert remaining("checkov", [OBJECTION, elsewhere], [ACCEPTED]) == [elsewhere]
    assert remaining("cfn-guard", [OBJECTION], [ACCEPTED]) == [OBJECTION]


def test_an_exemption_that_covers_nothing_any_more_is_a_finding() -> None:
    (finding,) = remaining("checkov", [], [ACCEPTED])

    assert "no longer objects" in finding.message


def test_every_exemption_of_ours_names_a_judge_that_exists_and_gives_a_reason() -> None:
    assert [one for one in exemptions() if one.judge not in judges.ALL or len(one.reason.split()) < 2] == []
