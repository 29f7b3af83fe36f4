"""When schedules are due: the expressions of EventBridge's rules and of EventBridge Scheduler. Pure: no clock, no AWS."""

from lab.schedules.cron import Cron
from lab.schedules.expressions import (
    At,
    Expression,
    InvalidExpression,
    Rate,
    Recurrence,
    WallClock,
    parse_rule,
    parse_schedule,
)

__all__ = [
    "At",
    "Cron",
    "Expression",
    "InvalidExpression",
    "Rate",
    "Recurrence",
    "WallClock",
    "parse_rule",
    "parse_schedule",
]
