"""Where judges work: their own installations, the sources without what git ignores, and the expanded templates."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.lint import expansion


@dataclass(frozen=True)
class Workplace:
    """``root`` is the repository that is judged; everything that is made for judging is below ``build``."""

    root: Path
    build: Path

    @property
    def tree(self) -> Path:
        """A copy of the sources: some judges walk into every folder that they are not told to leave out."""
        return self.build / "tree"

    @property
    def expanded(self) -> Path:
        """The templates as CloudFormation will see them."""
        return self.build / "expanded"

    def node(self, program: str) -> str:
        """Return the path of a program that npm installed."""
        return str(self.build / "node/node_modules" / program)

    def python(self, tool: str, program: str) -> str:
        """Return the path of a program in the environment of a tool that cannot live in ours."""
        return str(self.build / tool / "bin" / program)


def prepared(root: Path) -> Workplace:
    """Install what is missing (the only step that needs registries), then lay out sources and templates."""
    place = Workplace(root, root / "build/lint")
    for tool in ("checkov", "check-jsonschema", "parliament"):
        _python_tool(place, tool)
    _node_tools(place)
    _copy_sources(place)
    expand(place)
    return place


def _python_tool(place: Workplace, tool: str) -> None:
    locked = place.root / f"requirements/tools/{tool}.txt"
    if _is_current(place.build / tool, locked):
        return
    home = str(place.build / tool)
    _run("uv", "venv", "--quiet", "--clear", home)
    _run("uv", "pip", "sync", "--quiet", "--require-hashes", "--python", f"{home}/bin/python", str(locked))
    _mark(place.build / tool, locked)


def _node_tools(place: Workplace) -> None:
    sources, home = place.root / "requirements/tools/node", place.build / "node"
    if _is_current(home, sources / "package-lock.json"):
        return
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(sources, home)
    _run("npm", "ci", "--silent", "--prefix", str(home))
    _mark(home, sources / "package-lock.json")


def _is_current(home: Path, locked: Path) -> bool:
    stamp = home / ".locked"
    return stamp.exists() and stamp.read_text() == _digest(locked)


def _mark(home: Path, locked: Path) -> None:
    (home / ".locked").write_text(_digest(locked))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy_sources(place: Workplace) -> None:
    shutil.rmtree(place.tree, ignore_errors=True)
    listed = _run("git", "-C", str(place.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = place.root / name, place.tree / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def expand(place: Workplace) -> None:
    """Write both forms of every template anew."""
    shutil.rmtree(place.expanded, ignore_errors=True)
    for form, inlined in (("", False), ("inlined-", True)):
        for name in expansion.TEMPLATES:
            template = expansion.expanded(place.root, name, inlined=inlined)
            target = place.expanded / f"{form}{Path(name).stem}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(template, indent=1, default=str))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
