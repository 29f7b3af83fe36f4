"""The step ``conclude``: every result read, one record of what is proven and what is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.position import Position
from kuroshio.aurora.verification import schema
from kuroshio.aurora.verification.choosing import Proof
from kuroshio.aurora.verification.verdict import TableVerdict, summed_up
from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.verifying.places import Place
    from kuroshio.aurora.verifying.ports import Figures, Work

_SHOWN_KEYS = 1_000  # in the ledger; all of them are in the verdict
_SHOWN_TABLES = 500
_AT_ONCE = 16


class Concluder:
    """Puts together what the items found."""

    def __init__(self, work: Work, ledger: Ledger, figures: Figures, now: Callable[[], datetime]) -> None:
        self._work, self._ledger, self._figures, self._now = work, ledger, figures, now

    def conclude(self, place: Place) -> dict[str, Any]:
        """Return the record of the verification, made now or by an earlier call."""
        plan = self._work.read(place.plan)
        key = f"verification#{plan['at']}"
        kept = self._ledger.read(place.clone, key)
        if kept is None:
            verdicts, findings, turns = self._gathered(place, plan)
            record = self._record(place, plan, verdicts, findings, turns)
            self._ledger.create(place.clone, key, record)
            kept = self._ledger.read(place.clone, key) or record
        self._clear(place.clone, kept)
        self._figures.tell(place.clone, place.name, _figures(kept))
        return {**kept, "verification": plan["at"]}

    def _gathered(
        self, place: Place, plan: dict[str, Any]
    ) -> tuple[dict[str, TableVerdict], list[dict[str, Any]], list[dict[str, Any]]]:
        verdicts = {
            schema.shown(tuple(each["table"])): TableVerdict(
                schema.shown(tuple(each["table"])), Proof(each["proof"]), list(each["reasons"])
            )
            for each in plan["tables"]
        }
        for finding in plan["schema_findings"]:
            for table in finding["about"]:
                verdict = verdicts.setdefault(table, TableVerdict(table, Proof.FULL, unknown=finding["message"]))
                if finding["message"] not in verdict.reasons:
                    verdict.reasons.append(finding["message"])
        findings: list[dict[str, Any]] = []
        turns: list[dict[str, Any]] = []
        items = self._work.read(plan["items_key"]) if plan["items"] else []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for item, found in zip(items, pool.map(lambda each: self._turns(place, each["item"]), items), strict=True):
                turns += found
                for part in (part for turn in found for part in turn["parts"]):
                    verdicts[schema.shown(tuple(part["table"]))].add(part)
                    findings += [{"table": part["table"], "key": key, "kind": kind} for key, kind in part["findings"]]
                missing = item["parts"] if not found else found[-1]["left"]
                for part in missing:
                    verdict = verdicts[schema.shown(tuple(part["table"]))]
                    verdict.unknown = (
                        verdict.unknown or f"item {item['item']} has no result: nobody looked at this part"
                    )
        return verdicts, findings, turns

    def _turns(self, place: Place, item: int) -> list[dict[str, Any]]:
        """The results of an item, up to where they end, or one is missing."""
        found: list[dict[str, Any]] = []
        while not found or found[-1]["left"]:
            try:
                found.append(self._work.read(place.result(item, len(found))))
            except NotFound:
                break
        return found

    def _record(
        self,
        place: Place,
        plan: dict[str, Any],
        verdicts: dict[str, TableVerdict],
        findings: list[dict[str, Any]],
        turns: list[dict[str, Any]],
    ) -> dict[str, Any]:
        summary = summed_up(verdicts.values(), same_schema=not plan["schema_findings"])
        tables = [{**each.document(), "upto": plan["upto"]} for each in sorted(verdicts.values(), key=_by_trouble)]
        record = {
            "at": self._now().isoformat(timespec="microseconds"),
            "began": plan["at"],
            "run": place.name,
            **{name: plan[name] for name in ("proof", "reason", "seed", "since", "upto", "clone_since", "clone_upto")},
            **asdict(summary),
            "schema_findings": plan["schema_findings"],
            "seconds": (self._now() - _moment(plan["at"])).total_seconds(),
            "looking_s": round(sum(turn["seconds"] for turn in turns), 3),
            "paused_s": round(sum(turn["paused_s"] for turn in turns), 3),
            "report": place.verdict,
        }
        self._work.create(place.verdict, {**record, "tables": tables, "findings": findings})
        return {**record, "tables": tables[:_SHOWN_TABLES], "findings": findings[:_SHOWN_KEYS]}

    def _clear(self, clone: str, record: dict[str, Any]) -> None:
        """Suspects from before the plan was made, of tables that are proven now by a look at all their rows."""
        proven = {each["table"] for each in record["tables"] if each["equal"] and each["proof"] == Proof.FULL}
        for suspect in self._ledger.all(clone, "suspect#"):
            name = schema.shown((suspect["schema"], suspect["table"]))
            known = record["upto"] and Position.parse(suspect["since"]) < Position.parse(record["upto"])
            if name in proven and known:
                self._ledger.delete(clone, f"suspect#{name}")


def _figures(record: dict[str, Any]) -> dict[str, float]:
    names = ("differences", "unsettled", "unknown", "rows", "seconds")
    return {f"verified_{name}": float(record[name] or 0) for name in names}


def _by_trouble(verdict: TableVerdict) -> tuple[bool, str]:
    return verdict.equal, verdict.table


def _moment(text: str) -> datetime:
    from datetime import datetime as moments

    return moments.fromisoformat(text)
