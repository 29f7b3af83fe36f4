"""What a user's own Powertools ``Metrics`` says, said to Mackerel too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.metrics import MetricUnit
    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

# Of what is counted or carried, a minute has the sum; of anything else (times, rates, percentages) it has the last.
_ADDED_UP = {"Count", *(f"{size}{what}" for size in ("", "Kilo", "Mega", "Giga", "Tera") for what in ("bytes", "bits"))}
_ADDED_UP |= {"Bytes", "Bits"}


def provider(put: Callable[[str, float, str], None], settings: Any) -> AmazonCloudWatchEMFProvider:
    """A provider for ``Metrics(provider=...)`` that writes EMF as Powertools does, and hands each figure to ``put``."""
    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

    class Bridge(AmazonCloudWatchEMFProvider):
        def add_metric(self, name: str, unit: MetricUnit | str, value: float, resolution: Any = 60) -> None:
            """EMF first; what Powertools refuses goes nowhere."""
            super().add_metric(name=name, unit=unit, value=value, resolution=resolution)
            said = getattr(unit, "value", unit)
            put(name.strip(), value, "sum" if said in _ADDED_UP else "last")

    return Bridge(**settings)
