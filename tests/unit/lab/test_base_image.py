"""The base image is made of what this machine's own apt knows, whatever it is called."""

from __future__ import annotations

import pytest

from lab.base_image import apt_settings, mirror_of

DEB822 = """Types: deb
# a comment
URIs: https://packages.example/debian/
Suites: bookworm
Components: main

Types: deb
URIs: https://packages.example/debian-security
Suites: bookworm-security
"""


@pytest.mark.parametrize(
    ("sources", "mirror"),
    [
        (DEB822, "https://packages.example/debian/"),
        ("deb [signed-by=/k.gpg] http://packages.example/debian bookworm main\n", "http://packages.example/debian"),
        ("deb http://packages.example/debian bookworm main\n", "http://packages.example/debian"),
        ("# deb http://packages.example/debian bookworm main\n", ""),
        ("deb http://packages.example/ubuntu noble main\n", ""),
        ("", ""),
    ],
)
def test_the_mirror_is_the_first_debian_archive_of_apt_s_sources(sources: str, mirror: str) -> None:
    assert mirror_of(sources) == mirror


def test_only_settings_on_how_archives_are_reached_and_trusted_are_carried_over() -> None:
    dump = (
        'APT::Architecture "amd64";\n'
        'Acquire::http::Proxy "http://proxy.example:3128";\n'
        'Acquire::Check-Valid-Until "false";\n'
        'Acquire::IndexTargets::deb::Packages::Description "x";\n'
    )
    assert "".join(apt_settings(dump)) == (
        'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::Check-Valid-Until "false";\n'
    )
