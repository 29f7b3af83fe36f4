"""What is missing before a deployment is named, all of it at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kuroshio.preflight.readiness import Account, Secret, findings

READY = Account(
    id="111122223333",
    region="ap-northeast-1",
    outputs={"ImageParameterName": "/kuroshio/dev/image"},
    image="111122223333.dkr.ecr.ap-northeast-1.amazonaws.com/kuroshio-dev:initial",
    image_exists=True,
    secrets=(Secret("kuroshio/dev/mackerel-api-key", is_entered=True),),
)


def missing(seen: Account, expected: str | None = None) -> list[str]:
    return [finding.subject for finding in findings(seen, "dev", expected) if not finding.is_ready]


def test_a_prepared_account_lacks_nothing() -> None:
    assert missing(READY, "111122223333") == []


def test_everything_that_is_missing_is_named_at_once() -> None:
    secrets = (Secret("a", is_entered=False), Secret("b", is_entered=True), Secret("c", is_entered=False))
    seen = replace(READY, image_exists=False, secrets=secrets)

    assert missing(seen, "444455556666") == ["account", "image", "secret a", "secret c"]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(READY, outputs=None, image=None, secrets=()), "sam deploy --config-env foundation-dev"),
        (replace(READY, image_exists=False), "kuroshio image push --initial --env dev"),
        (replace(READY, secrets=(Secret("key", is_entered=False),)), "put-secret-value --secret-id key"),
    ],
    ids=["no foundation", "no image", "no key"],
)
def test_what_is_missing_comes_with_the_command_that_mends_it(seen: Account, said: str) -> None:
    told = [finding.said for finding in findings(seen, "dev") if not finding.is_ready]

    assert said in told[0]
