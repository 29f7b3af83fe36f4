"""Random edits of random repositories: no unit missed, none too many, held against brute force.

The oracle shares nothing with the detector: it knows the model that the template was written from, and hashes every file
that a unit is made of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import yaml
from hypothesis import given, settings

from kuroshio.changes.detection import detect
from tests.fakes.repository import File, MemoryRepository

FOLDERS = ["", "a", "a/b", "c", "shared"]
NAMES = ["x.py", "run.sh", "data.json", "README.md"]


@dataclass(frozen=True)
class Model:
    """One commit: functions by name as (folder, own properties, uses layer), global properties, the layer, the files."""

    functions: dict[str, tuple[str, dict[str, int], bool]] = field(default_factory=dict)
    inherited: dict[str, int] = field(default_factory=dict)
    layer: str = "shared"
    files: dict[str, File] = field(default_factory=dict)

    def tree(self) -> dict[str, str | bytes | File]:
        resources: dict[str, Any] = {
            "Layer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": f"../{self.layer}/"}}
        }
        for name, (folder, own, uses_layer) in self.functions.items():
            properties = {"CodeUri": f"../{folder}", **own} | ({"Layers": [{"Ref": "Layer"}]} if uses_layer else {})
            resources[name] = {"Type": "AWS::Serverless::Function", "Properties": properties}
        template = {"Globals": {"Function": self.inherited}, "Resources": resources}
        return {**self.files, "infra/template.yaml": yaml.dump(template, Dumper=yaml.CSafeDumper)}

    def below(self, folder: str) -> dict[str, File]:
        tree = {
            path: file if isinstance(file, File) else File(str(file).encode()) for path, file in self.tree().items()
        }
        return {path: file for path, file in tree.items() if not folder or path.startswith(f"{folder}/")}

    def identities(self) -> dict[str, Any]:
        """All that each unit is made of."""
        layer = (self.layer, self.below(self.layer))
        return {"infra/template.yaml#Layer": layer} | {
            f"infra/template.yaml#{name}": (folder, {**self.inherited, **own}, self.below(folder), uses and layer)
            for name, (folder, own, uses) in self.functions.items()
        }


PROPERTIES = st.dictionaries(st.sampled_from(["Timeout", "MemorySize"]), st.integers(1, 2), max_size=2)
FILES = st.dictionaries(
    st.builds(lambda folder, name: f"{folder}/{name}".lstrip("/"), st.sampled_from(FOLDERS), st.sampled_from(NAMES)),
    st.builds(File, st.sampled_from([b"1", b"2"]), st.sampled_from(["100644", "100755"])),
    max_size=8,
)
# Every folder has a file that stays, so that every source is in the tree.
STAYS = {f"{folder}/stays.txt".lstrip("/"): File(b"") for folder in FOLDERS}
MODELS = st.builds(
    Model,
    st.dictionaries(st.sampled_from("FGH"), st.tuples(st.sampled_from(FOLDERS), PROPERTIES, st.booleans())),
    PROPERTIES,
    st.sampled_from(["shared", "c"]),
    FILES.map(lambda files: files | STAYS),
)


@settings(max_examples=150, deadline=None)
@given(before=MODELS, after=MODELS, mix=st.data())
def test_exactly_the_units_whose_parts_differ_are_in_the_plan(before: Model, after: Model, mix: st.DataObject) -> None:
    keep = {
        name: mix.draw(st.booleans(), label=f"keep {name}") for name in ("functions", "inherited", "files", "layer")
    }
    after = Model(**{name: getattr(before if kept else after, name) for name, kept in keep.items()})
    repository = MemoryRepository()
    base = repository.make_commit(before.tree())
    plan = detect(repository, base, repository.make_commit(after.tree(), base))
    old, new = before.identities(), after.identities()
    expected = {unit for unit in {*old, *new} if old.get(unit) != new.get(unit)}
    assert {unit.id for unit in plan.units} == expected
    assert plan.complete


@settings(max_examples=50, deadline=None)
@given(before=MODELS, after=MODELS)
def test_no_changed_file_vanishes(before: Model, after: Model) -> None:
    repository = MemoryRepository()
    base = repository.make_commit(before.tree())
    head = repository.make_commit(after.tree(), base)
    plan = detect(repository, base, head)
    listed = {*plan.infrastructure, *plan.ignored, *plan.unclassified}
    listed |= {reason.path for unit in plan.units for reason in unit.reasons}
    assert {change.path for change in repository.changes(base, head)} <= listed
