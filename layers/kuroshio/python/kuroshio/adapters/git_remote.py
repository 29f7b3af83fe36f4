"""Commits fetched from a git server, with just as much history as their comparison needs."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kuroshio.adapters.git import Git, environment
from kuroshio.errors import LimitExceeded, RepositoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT_S = 900
_FIRST_DEPTH, _LAST_DEPTH = 32, 8192
# What a machine needs to reach a server at all; nothing else of its environment reaches git.
_NETWORK = ("https_proxy", "HTTPS_PROXY", "http_proxy", "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "GIT_SSL_CAINFO")


class Remote:
    """A repository on a server. ``token`` goes to it in a header, and only to it: redirects are not followed."""

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        self._env = _environment(url, token)

    @contextmanager
    def fetched(self, base: str, head: str, *more: str) -> Iterator[Git]:
        """Give a repository with these commits and the history between them and ``head``, removed afterwards.

        History is deepened until the merge bases are certain, in the end to all there is. Nothing is checked out.
        Raises RepositoryUnreadable with git's own words, LimitExceeded.
        """
        with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
            self._git(folder, "init", "--quiet", "--bare", "--template=", ".")
            git = Git(Path(folder))
            depth = _FIRST_DEPTH
            self._fetch(folder, f"--depth={depth}", base, head, *more)
            while any(_is_uncertain(git, each, head) for each in (base, *more)):
                depth *= 4
                self._fetch(folder, f"--depth={depth}" if depth < _LAST_DEPTH else "--unshallow", base, head, *more)
            yield git

    def _fetch(self, folder: str, depth: str, *commits: str) -> None:
        refspecs = [f"+{commit}:refs/kuroshio/fetched/{commit}" for commit in dict.fromkeys(commits)]
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance")
        self._git(folder, "fetch", *options, depth, "--end-of-options", self._url, *refspecs)

    def _git(self, folder: str, *arguments: str) -> None:
        command = ["git", "--no-pager", "-C", folder, *arguments]
        try:
            done = subprocess.run(command, env=self._env, capture_output=True, timeout=_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            raise LimitExceeded(f"git {arguments[0]} of {self._url} took longer than {_TIMEOUT_S} s") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise RepositoryUnreadable(f"git {arguments[0]} of {self._url}: {said[-1] if said else 'no word'}")


def _is_uncertain(git: Git, base: str, head: str) -> bool:
    """Whether a shallow boundary may hide the merge base. Unrelated histories end when all of them is here."""
    merge_bases = git.merge_bases(base, head)
    return git.is_cut(base, head, merge_bases[0] if merge_bases else None)


def _environment(url: str, token: str) -> dict[str, str]:
    env = environment(may_fetch=True)
    config = {
        "protocol.allow": "never",
        f"protocol.{urlsplit(url).scheme or 'file'}.allow": "always",
        "http.followRedirects": "false",
        "credential.helper": "",
    }
    if token:
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        config["http.extraHeader"] = f"Authorization: Basic {basic}"
    first = int(env["GIT_CONFIG_COUNT"])
    for at, (key, value) in enumerate(config.items(), first):
        env |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    network = {name: os.environ[name] for name in _NETWORK if name in os.environ}
    return env | network | {"GIT_CONFIG_COUNT": str(first + len(config))}
