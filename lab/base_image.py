"""The functions' base image: pulled where a registry answers, else made of this machine's own Debian mirror.

What this machine needs in order to build on it (its certificate authorities, apt's and pip's settings) goes into the
base that is made here, so that the Dockerfile that is tested is the one that ships.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine import Engine

NAME = "public.ecr.aws/docker/library/debian:trixie-slim"
_SUITE = "trixie"
_PULL_WITHIN_S = 120.0
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# What Debian's slim images leave out of every package: https://github.com/debuerreotype/debuerreotype, .slimify-excludes
_SLIM = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/groff", "usr/share/lintian")
_STALE = ("var/cache/apt/archives", "var/lib/apt/lists", "var/log", "var/cache/debconf")


def ensure(engine: Engine) -> str:
    """Make the base image present and say how, or "" where it was there already. Raises EngineError where it cannot."""
    if engine.image_id(NAME):
        return ""
    if engine.pull(NAME, within_s=_PULL_WITHIN_S):
        return _pulled(engine)
    with tempfile.TemporaryDirectory(prefix="kuroshio-base-") as folder:
        root = Path(folder) / "root"
        _debootstrap(root)
        _fit_to_this_machine(root)
        _slim_down(root)
        engine.load_root(root, NAME)
        _as_root("rm", "-rf", str(root))
    return "made with debootstrap, because its registry does not answer"


def _pulled(engine: Engine) -> str:
    """The engine has verified every blob against the manifest's digest; an image without one did not come from there."""
    digests = engine.image_digests(NAME)
    if not digests:
        raise EngineError(f"{NAME} was pulled, but the engine knows no digest of it; remove it and run `make setup`")
    return f"pulled as {digests[0].rpartition('@')[2]}"


def _debootstrap(root: Path) -> None:
    if not shutil.which("debootstrap") and not Path("/usr/sbin/debootstrap").exists():
        raise EngineError(f"{NAME} cannot be pulled, and debootstrap is not here to make it; run `make setup`")
    mirror = [mirror_of(_apt_sources())] if mirror_of(_apt_sources()) else []
    arguments = ["--variant=minbase", "--include=ca-certificates", _SUITE, str(root), *mirror]
    _as_root("/usr/sbin/debootstrap", *arguments)


def mirror_of(sources: str) -> str:
    """The first Debian archive in apt's sources (either format), or "" where there is none: debootstrap knows one then."""
    for uri in re.findall(r"^(?:deb\s+(?:\[[^]]*\]\s*)?|URIs:\s*)(\S+)", sources, re.MULTILINE):
        if re.search(r"/debian/?$", uri):
            return str(uri)
    return ""


def _apt_sources() -> str:
    folder = Path("/etc/apt/sources.list.d")
    files = [Path("/etc/apt/sources.list"), *sorted(folder.glob("*.list")), *sorted(folder.glob("*.sources"))]
    return "\n".join(file.read_text() for file in files if file.exists())


def _fit_to_this_machine(root: Path) -> None:
    """Carry what builds need here: certificate authorities, apt's way to its mirror, pip's and uv's to their index."""
    if _AUTHORITIES.exists():
        _write(root / "etc/ssl/certs/ca-certificates.crt", _AUTHORITIES.read_text())
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    _write(root / "etc/apt/apt.conf.d/90-of-this-machine", "".join(apt_settings(dump)))
    index = _index_of_pip()
    _write(root / "etc/pip.conf", f"[global]\ncert = {_AUTHORITIES}\n" + (f"index-url = {index}\n" if index else ""))
    chosen = f'[[index]]\nurl = "{index}"\ndefault = true\n' if index else ""
    _write(root / "etc/uv/uv.toml", f"native-tls = true\n{chosen}")


def apt_settings(dump: str) -> Iterator[str]:
    """The settings of ``apt-config dump`` that say how archives are reached and trusted."""
    carried = re.compile(r"Acquire::(Check-|http::|https::|Retries|ForceIPv|AllowInsecure|Max-FutureTime)")
    return (f"{line}\n" for line in dump.splitlines() if carried.match(line))


def _index_of_pip() -> str:
    named = os.environ.get("PIP_INDEX_URL") or os.environ.get("UV_DEFAULT_INDEX")
    if named:
        return named
    shown = subprocess.run(["pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    return shown.stdout.strip() if not shown.returncode and shown.stdout.startswith("http") else ""


def _slim_down(root: Path) -> None:
    excludes = "".join(f"path-exclude /{folder}/*\n" for folder in _SLIM) + "path-include /usr/share/doc/*/copyright\n"
    _write(root / "etc/dpkg/dpkg.cfg.d/docker", excludes)
    _write(
        root / "etc/apt/apt.conf.d/docker-clean",
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n',
    )
    for folder in (*_SLIM, *_STALE):
        if (root / folder).exists():
            keep = ("!", "-name", "copyright")  # licences stay, as in Debian's own slim images
            _as_root("find", str(root / folder), "-mindepth", "1", "!", "-type", "d", *keep, "-delete")


def _write(file: Path, content: str) -> None:
    _as_root("mkdir", "-p", str(file.parent))
    _as_root("tee", str(file), given=content)


def _as_root(*command: str, given: str = "") -> None:
    before = () if os.geteuid() == 0 else ("sudo",)
    done = subprocess.run([*before, *command], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"{' '.join(command)} ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")
