"""The file that says in words what holds without one, to begin with."""

from __future__ import annotations

from kuroshio.mackerel.catalogue import FIGURES
from kuroshio.mackerel.definitions.settings import Settings

_HEAD = """\
# What Mackerel shall have. `kuroshio mackerel apply` shows what differs, asks, and makes it so.
# All of it is optional; what stands here is what holds without a file.
#
# What Kuroshio publishes to the service, for graphs and monitors of your own:
"""


def text() -> str:
    """The default ``mackerel.yaml``."""
    none = Settings()
    figures = "".join(f"#   {each.name} ({each.unit}): {each.words}\n" for each in FIGURES)
    roles = "".join(f"  {name}: {memo}\n" for name, memo in none.roles)
    workflows = "".join(
        f"  {each.name}:\n    alert-on: [{', '.join(each.alert_on)}]\n"
        "    heartbeat: false # 26h, say, where a success is due every day\n"
        for each in none.workflows
    )
    return (
        f'{_HEAD}{figures}\nmemo: "{none.memo}"\nroles:\n{roles}workflows:\n{workflows}'
        f"silence: {none.silence.critical}m # so long nothing at all reached Mackerel\n"
        "dashboard:\n  graphs: [] # of your own: {title: Orders, metrics: [orders.shipped]}\n"
        'monitors: {} # of your own: {few orders: {metric: orders.shipped, operator: "<", critical: 5}}\n'
        "graph-definitions: {} # of custom.* metrics of hosts; Kuroshio posts none\n"
    )
