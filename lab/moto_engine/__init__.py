"""moto's Step Functions engine, made to behave as the service does. The one package that touches moto's private names.

moto 5.2.5 ships no JSONata evaluator, leaves AWS's spelling of parameters and responses alone, sleeps in real time,
calls other services without the machine's role and tells nobody when an execution changes its status. ``install`` closes
these gaps for the whole process; ``run`` executes one definition in-process with a fake behind every Task state::

    done = run(definition, {"target": "a"}, {"DetectChanges": lambda arguments: {"Payload": {"complete": True}}})
    assert (done.status, done.path) == ("SUCCEEDED", ["DetectChanges", "DiscardBundle"])

The pin of moto in pyproject.toml moves only together with this package.
"""

from __future__ import annotations

from lab.moto_engine.hooks import ExecutionStatus, Hooks, Rule, TaskFailed, use
from lab.moto_engine.in_process import Execution, run
from lab.moto_engine.patches import patch_moto
from lab.moto_engine.queues import await_message, visible_messages
from lab.moto_engine.server import forget_everything, know_aws_policy, moto_server, put_event

__all__ = [
    "Execution",
    "ExecutionStatus",
    "Hooks",
    "Rule",
    "TaskFailed",
    "await_message",
    "forget_everything",
    "install",
    "know_aws_policy",
    "moto_server",
    "put_event",
    "run",
    "visible_messages",
]


def install(hooks: Hooks) -> None:
    """Close moto's gaps for this process and serve its executions with ``hooks``. Calling it again replaces the hooks."""
    use(hooks)
    patch_moto()
