"""The ledger's records of a clone that went through everything: asked, approved, behind, skipped, differing, taken over."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from kuroshio.aurora.report.records import Records

BEGAN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RUN = "arn:aws:states:ap-northeast-1:123456789012:execution:kuroshio-aurora-dev-replicate-cluster:next-0123456789ab"
HARUKA, KENJI = (
    f"arn:aws:sts::123456789012:assumed-role/operator/{name}" for name in ("haruka@example.com", "kenji@example.com")
)


def at(minutes: float) -> str:
    """So many minutes after the beginning."""
    return (BEGAN + timedelta(minutes=minutes)).isoformat()


REQUEST: dict[str, Any] = {
    "schema": "kuroshio.replicate-request/1",
    "source": "shop",
    "clone": "shop-next",
    "options": {"instance_class": "db.r8g.2xlarge", "tags": {}},
    "errors": {"policy": "skip", "numbers": [1062, 1032], "most": 3},
    "verify": "auto",
    "upgrade_to": "8.0.mysql_aurora.3.10.1",
    "retention_hours": 72,
    "overrides": ["tables-without-key"],
}
PHASES = [
    (0, "preflight"), (1.2, "binlog"), (16, "account"), (16.5, "cloning"), (27, "seeding"), (29, "following"),
    (214, "caught-up"), (215, "verifying"), (276, "ready"), (1_512, "cutting-over"), (1_512.2, "done"),
]  # fmt: skip
FINDINGS = [
    ("tables-without-key", "warning", "2 tables have no primary key: haruka answers for it", "Give them one.", ["shop.log", "shop.audit"]),
    ("long-transactions", "unknown", "the longest transaction could not be read", "Grant PROCESS.", []),
    ("engine", "fine", "aurora-mysql 3.08.0", "", []),
]  # fmt: skip
STEPS = [("fenced", 4.218), ("reached", 9.877), ("decided", 13.402), ("moved", 19.551), ("opened", 23.806)]


def behind(minutes: float) -> float:
    """First 6 GB to catch up with, then small peaks, and a large one."""
    climb = 6e9 * max(0.0, 1 - (minutes - 29) / 185) ** 1.3
    burst = 9e8 * math.exp(-(((minutes - 700) / 25) ** 2))
    return round(climb + burst + 40_000 * (1 + math.sin(minutes)))


def lags() -> list[dict[str, Any]]:
    """Every minute at first, every five later, and an hour in which nobody looked."""
    minutes = [*range(29, 300), *range(300, 900, 5), *range(960, 1_512, 5)]
    return [
        {
            "at": at(m),
            "state": "caught-up" if behind(m) < 2e5 else "following",
            "behind_bytes": behind(m),
            "reason": "…",
        }
        for m in minutes
    ]


def verification(minutes: float, proof: str, *, differing: int = 0) -> dict[str, Any]:
    """One comparison of three tables."""
    keys = [{"table": ["shop", "orders"], "key": [str(4_711 + n)], "kind": "different"} for n in range(differing)]
    return {
        "at": at(minutes),
        "began": at(minutes - 39),
        "proof": proof,
        "since": "mysql-bin-changelog.000041:154",
        "upto": "mysql-bin-changelog.000057:90210",
        "equal": not differing,
        "unknown": 0,
        "schema_findings": [],
        "report": "aurora/shop-next/verdict.json",
        "differences": differing,
        "unsettled": 0,
        "rows": 812_345_678 if proof == "full" else 91_234,
        "tables": [
            {"table": "shop.orders", "proof": proof, "rows": 612_345_678, "differences": differing, "unsettled": 0},
            {"table": "shop.customers", "proof": "untouched" if proof == "delta" else proof, "rows": 199_000_000, "differences": 0, "unsettled": 0},
            {"table": "shop.log", "proof": "full", "reasons": ["no primary key"], "rows": 1_000_000, "differences": 0, "unsettled": 0},
        ],
        "findings": keys,
    }  # fmt: skip


def approval(name: str, asked: float, answered: float, by: str, sentences: list[str]) -> dict[str, Any]:
    """One that was given."""
    return {
        "name": name, "asked": sentences, "run": RUN, "asked_at": at(asked), "token": "a-token",
        "answer": "approved", "answered_at": at(answered), "by": by, "reason": "agreed in the morning meeting",
    }  # fmt: skip


def whole(clone: str = "shop-next") -> Records:
    """All of it."""
    return Records(
        clone=clone,
        state={"phase": "done", "request": REQUEST, "run": RUN, "started": at(0), "by": HARUKA, "source": "shop"},
        preflight={
            "at": at(1),
            "findings": [
                {"code": code, "severity": severity, "message": message, "remedy": remedy, "about": about}
                for code, severity, message, remedy, about in FINDINGS
            ],
        },
        seed={
            "position": "mysql-bin-changelog.000041:48213",
            "told_at": at(27.5),
            "message": "Binlog position from crash recovery is mysql-bin-changelog.000041 48213",
        },
        events=[{"phase": phase, "at": at(minutes)} for minutes, phase in PHASES]
        + [{"at": at(1_512.3), "what": "The account was removed", "left": ["the old cluster shop-old: delete it when nobody needs the way back"]}],
        lags=lags(),
        skips=[
            {
                "at": at(96), "number": 1062, "message": "Duplicate entry '88' for key 'PRIMARY'",
                "position": "mysql-bin-changelog.000044:5210", "tables": ["shop.log"],
                "transaction": "INSERT INTO `shop`.`log` VALUES (88, 'started')\nUPDATE `shop`.`log` SET seen=1 WHERE id=87",
            }
        ],
        verifications=[verification(276, "full", differing=2), verification(1_440, "delta")],
        approvals=[
            approval("reboot", 1.3, 14, KENJI, ["shop-1 (writer) restarts", "shop-2 (reader) restarts with it"]),
            approval("cut-over", 1_500, 1_511, KENJI, ["shop-next takes over from shop", "writes are refused for about 0.1 s"]),
        ],
        cutovers=[
            {
                "at": at(1_512), "result": "over", "direction": "over", "run": RUN, "from": "shop-old", "to": "shop",
                "position": "mysql-bin-changelog.000057:91877", "back_from": "mysql-bin-changelog.000003:1204",
                "name": {"kind": "cluster"}, "steps": [{"step": step, "at_ms": ms} for step, ms in STEPS],
                "conditions": [
                    {"name": "caught-up", "holds": True, "reason": "the target reached the source's position after 3 ms"},
                    {"name": "accounts-equal", "holds": False, "accepted": True, "reason": "the target has no batch@%"},
                ],
                "connections": [{"who": "app@10.0.3.7", "connections": 48}],
            }
        ],
    )  # fmt: skip
