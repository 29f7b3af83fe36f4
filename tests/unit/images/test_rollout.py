"""What is in force and what the parameter says never drift apart."""

from dataclasses import dataclass, field

import pytest

from kuroshio.errors import DeploymentFailed, InvalidRequest
from kuroshio.images.naming import PushedImage, tag_of
from kuroshio.images.rollout import roll_out

OLD, NEW = (f"registry.example/kuroshio-dev@sha256:{digit * 64}" for digit in "ab")


@dataclass
class Parameter:
    value: str
    written: list[str] = field(default_factory=list)

    def read(self) -> str:
        return self.value

    def write(self, value: str) -> None:
        self.value = value
        self.written.append(value)


@dataclass
class Stack:
    """Resolves the parameter at an update and at nothing else, as CloudFormation does."""

    parameter: Parameter
    running: str | None
    fails: BaseException | None = None

    def exists(self) -> bool:
        return self.running is not None

    def update_in_place(self) -> bool:
        if self.fails:
            raise self.fails
        before, self.running = self.running, self.parameter.value
        return before != self.running


def quiet(_message: str) -> None:
    """Nobody listens."""


def test_a_roll_out_moves_the_parameter_and_the_functions_together() -> None:
    parameter = Parameter(OLD)
    stack = Stack(parameter, running=OLD)

    done = roll_out(NEW, parameter, [stack], quiet)

    assert (parameter.value, stack.running) == (NEW, NEW)
    assert (done.previous, done.updated) == (OLD, True)


@pytest.mark.parametrize("failure", [DeploymentFailed("rolled back"), KeyboardInterrupt()])
def test_a_failed_update_puts_the_parameter_back_and_still_fails(failure: BaseException) -> None:
    parameter = Parameter(OLD)
    stack = Stack(parameter, running=OLD, fails=failure)

    with pytest.raises(type(failure)):
        roll_out(NEW, parameter, [stack], quiet)

    assert (parameter.value, stack.running) == (OLD, OLD)


def test_an_image_in_force_already_is_not_written_again_but_a_stack_that_missed_it_catches_up() -> None:
    parameter = Parameter(NEW)
    stack = Stack(parameter, running=OLD)

    done = roll_out(NEW, parameter, [stack], quiet)

    assert (parameter.written, stack.running, done.updated) == ([], NEW, True)


def test_before_the_first_deployment_only_the_parameter_is_written() -> None:
    parameter = Parameter(OLD)

    done = roll_out(NEW, parameter, [Stack(parameter, running=None)], quiet)

    assert (parameter.value, done.updated) == (NEW, False)


def test_a_way_back_is_a_roll_out_of_what_was_before() -> None:
    parameter = Parameter(OLD)
    stack = Stack(parameter, running=OLD)

    there = roll_out(NEW, parameter, [stack], quiet)
    roll_out(there.previous, parameter, [stack], quiet)

    assert (parameter.value, stack.running) == (OLD, OLD)


def test_a_tag_is_the_first_seven_characters_of_a_full_commit_id() -> None:
    assert tag_of("0123456789abcdef0123456789abcdef01234567") == "0123456"


@pytest.mark.parametrize("commit", ["", "0123456", "main", "0123456789ABCDEF0123456789abcdef01234567"])
def test_an_abbreviation_or_a_name_is_no_commit_to_tag(commit: str) -> None:
    with pytest.raises(InvalidRequest):
        tag_of(commit)


def test_an_image_is_deployed_by_its_digest_never_by_its_tag() -> None:
    image = PushedImage("registry.example/kuroshio-dev", "0123456", f"sha256:{'c' * 64}")
    assert image.pinned == f"registry.example/kuroshio-dev@sha256:{'c' * 64}"


def test_what_is_not_a_digest_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        PushedImage("registry.example/kuroshio-dev", "0123456", "latest")


def test_where_the_second_stack_fails_the_first_goes_back_too() -> None:
    parameter = Parameter(OLD)
    first, second = Stack(parameter, running=OLD), Stack(parameter, running=OLD, fails=DeploymentFailed("rolled back"))

    with pytest.raises(DeploymentFailed):
        roll_out(NEW, parameter, [first, second], quiet)

    assert (parameter.value, first.running, second.running) == (OLD, OLD, OLD)


def test_a_stack_that_is_not_deployed_keeps_no_other_from_its_image() -> None:
    parameter = Parameter(OLD)
    first, second = Stack(parameter, running=None), Stack(parameter, running=OLD)

    assert roll_out(NEW, parameter, [first, second], quiet).updated
    assert (first.running, second.running) == (None, NEW)
