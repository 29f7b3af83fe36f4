"""What a deployed stack says about itself."""

from __future__ import annotations

from kuroshio.adapters import aws
from kuroshio.errors import NotFound, RequestRefused


def outputs(stack: str) -> dict[str, str]:
    """Return the stack's outputs by key. Raises NotFound where there is no such stack."""
    with aws.translated(f"reading the outputs of the stack {stack}"):
        try:
            found = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        except aws.client("cloudformation").exceptions.ClientError as error:
            # CloudFormation's answer for a stack that does not exist is a ValidationError like any other.
            if "does not exist" in str(error):
                raise NotFound(f"the stack {stack} does not exist in this account and region") from None
            raise
    if not found:
        raise RequestRefused(f"CloudFormation described no stack for {stack}")
    return {output["OutputKey"]: output["OutputValue"] for output in found[0].get("Outputs", [])}
