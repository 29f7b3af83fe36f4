"""Where things are: named by an option or the environment, or looked up in the stacks of an environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from kuroshio.errors import ConfigurationMissing


@dataclass(frozen=True)
class Stack:
    """One stack's outputs; those that were given by name are not looked up."""

    name: str
    given: dict[str, str | None] = field(default_factory=dict)

    def __getitem__(self, output: str) -> str:
        """The value. Raises ConfigurationMissing where the stack has no such output, NotFound where there is no stack."""
        found = self.get(output)
        if not found:
            raise ConfigurationMissing(
                f"the stack {self.name} has no output {output}; deploy it, or name it by an option"
            )
        return found

    def get(self, output: str) -> str:
        """The value, or an empty text where the stack has no such output."""
        return self.given.get(output) or self._outputs.get(output, "")

    @cached_property
    def _outputs(self) -> dict[str, str]:
        from kuroshio.adapters.stack_outputs import outputs

        return outputs(self.name)
