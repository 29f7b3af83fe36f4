"""Chapter "aurora": a clone of a live cluster follows it, is proven equal and takes over, while clients write and count."""

from __future__ import annotations

import json
import os
import time
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.databases.writers import judge, prepare, writers
from lab.demo.house import House, kuroshio
from lab.demo.shop import CLONE, SOURCE, Shop
from lab.demo.stage import StepFailed

if TYPE_CHECKING:
    from lab.databases.writers import Judgement, Written

_CLIENTS = 4
_AFTERWARDS_S = 3.0  # that the clients write to the clone that took over
_APPROVAL_WITHIN_S = 120.0


@dataclass(frozen=True)
class Result:
    """What the clients counted, and what is there. ``during``: of the cut-over alone."""

    written: Written
    judgement: Judgement
    during: float
    differences: int

    def check(self) -> None:
        """Raise StepFailed where anything that was promised is not so."""
        wrong = [
            f"{count:,} {what}"
            for what, count in (
                ("acknowledged writes are lost", self.judgement.lost),
                ("acknowledged writes are there twice", self.judgement.doubled),
                ("rows differ", self.differences),
            )
            if count
        ]
        if not self.written.count:
            wrong.append("no client had a write acknowledged")
        if wrong:
            raise StepFailed("; ".join(wrong))

    def lines(self) -> list[str]:
        """In words, for the audience."""
        answers = ", ".join(f"{error} x{count}" for error, count in sorted(self.written.answers.items()))
        return [
            (
                f"{self.written.count:,} writes were acknowledged to {len(self.written.acknowledged)} clients: "
                f"{self.judgement.lost} lost, {self.judgement.doubled} doubled"
            ),
            f"longest time in which a client could not write, during the cut-over: {self.during * 1_000:.1f} ms",
            (
                f"the same over the whole chapter (a clone of the lab freezes its source while it copies): "
                f"{self.written.longest() * 1_000:.0f} ms"
            ),
            f"errors that clients saw and tried again after: {answers or 'none'}",
        ]


@dataclass(frozen=True)
class Chapter:
    """Runs on a lab that is up."""

    house: House
    rows: int = 1_000_000

    def run(self) -> None:
        """From preflight to cut-over by the real commands, then the report."""
        self.house.ensure()
        stage, shop = self.house.stage, Shop(self.house)
        with stage.step("A cluster of Aurora MySQL: shop"):
            secret = shop.create()
        with stage.step(f"{self.rows:,} orders and their customers"):
            stage.console.print(f"  {shop.fill(self.rows):,} rows", highlight=False)
            prepare(shop.server(SOURCE))
        shop.deploy()
        with writers(shop.login(SOURCE), clients=_CLIENTS) as running:
            self._replicate(secret)
            began = self._cut_over()
            ended = time.time()
            time.sleep(_AFTERWARDS_S)
        result = Result(
            running.written,
            judge(shop.server(SOURCE), running.written),
            running.written.longest(began, ended),
            self._differences(),
        )
        for line in result.lines():
            stage.console.print(f"  {line}", highlight=False, markup=False)
        self._report()
        result.check()

    def _replicate(self, secret: str) -> None:
        with_login = (SOURCE, CLONE, "--source-secret", secret)
        self._show("Preflight: what stands in the way?", "preflight", *with_login)
        self._aurora("Clone, follow, catch up, compare", "replicate", *with_login)
        self._show("How it stands", "status", CLONE)
        self._show("Compare once more: what was touched since", "verify", CLONE, "--proof", "delta")

    def _cut_over(self) -> float:
        """Returns when it was let go on, which is before anybody is kept from writing."""
        self._show("Rehearse the cut-over: does every condition hold?", "cutover", CLONE, "--dry-run")
        self._aurora("Ask for the cut-over", "cutover", CLONE, "--no-watch")
        with self.house.stage.step("It waits for a person"):
            self._await_approval()
        began = time.time()
        self._show("Approve it", "approve", CLONE, "cut-over", "--yes", "--reason", "the demo said so")
        self._show("Cut over", "cutover", CLONE)
        return began

    def _await_approval(self) -> None:
        deadline = time.monotonic() + _APPROVAL_WITHIN_S
        while "cut-over" not in [each["name"] for each in self._status()["waiting"]]:
            if time.monotonic() > deadline:
                raise StepFailed(f"nobody was asked for approval within {_APPROVAL_WITHIN_S:.0f} s")
            time.sleep(0.5)

    def _status(self) -> dict[str, Any]:
        return dict(json.loads(self.house.quietly(*kuroshio(), "aurora", "status", CLONE, "--json", accept=(0, 3))))

    def _differences(self) -> int:
        return int(self._status()["verification"]["differences"])

    def _report(self) -> None:
        file = self.house.stage.log.with_name("aurora.html")
        self._aurora("Write what happened as one page", "report", CLONE, "--output", str(file))
        self.house.stage.console.print("What happened, to show around:")
        self.house.stage.console.print(str(file), style="dim", highlight=False)
        if self.house.stage.console.is_terminal and os.environ.get("DISPLAY", os.environ.get("WAYLAND_DISPLAY")):
            webbrowser.open(file.as_uri())

    def _show(self, name: str, *arguments: str) -> None:
        said = self._aurora(name, *arguments)
        self.house.stage.console.print(said, markup=False, highlight=False)

    def _aurora(self, name: str, *arguments: str) -> str:
        columns = {"COLUMNS": str(self.house.stage.console.width)}
        return self.house.run(name, *kuroshio(), "aurora", *arguments, env=columns)
