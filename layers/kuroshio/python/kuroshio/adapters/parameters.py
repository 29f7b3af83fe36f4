"""SSM parameters: names of things in force, never secrets."""

from __future__ import annotations

from dataclasses import dataclass

from kuroshio.adapters import aws


@dataclass(frozen=True)
class SsmParameter:
    """One plain parameter."""

    name: str

    def read(self) -> str:
        """Return its value. Raises NotFound where there is no such parameter."""
        with aws.translated(f"reading the parameter {self.name}"):
            return aws.client("ssm").get_parameter(Name=self.name)["Parameter"]["Value"]

    def write(self, value: str) -> None:
        """Replace its value; the template that made the parameter keeps its type."""
        with aws.translated(f"writing the parameter {self.name}"):
            aws.client("ssm").put_parameter(Name=self.name, Value=value, Overwrite=True)
