"""The lock file: every dependency at one version in its range, with the hashes of its files."""

import re
import tomllib

import pytest
from conftest import ROOT
from packaging.markers import Marker
from packaging.requirements import Requirement

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DECLARED = [
    Requirement(text)
    for part in (
        PROJECT["dependencies"],
        *(EXTRAS[extra] for extra in ("export", "large", "test", "check")),
    )
    for text in part
]
ENTRY = re.compile(
    r"^([\w.-]+)==([\w.]+)(?: ; (.*?))? \\\n((?: +--hash=sha256:[0-9a-f]{64}.*\n)+)", re.M
)
LOCK = (ROOT / "requirements.lock").read_text()


def locked(name: str) -> str:
    """The version for this Python on this system."""
    versions = [
        version
        for found, version, marker, _ in ENTRY.findall(LOCK)
        if found == name and (not marker or Marker(marker).evaluate())
    ]
    assert len(versions) == 1, (name, versions)
    return versions[0]


@pytest.mark.parametrize(
    "requirement", [r for r in DECLARED if r.name != "nnlab"], ids=lambda r: r.name
)
def test_every_dependency_is_locked_in_its_range(requirement: Requirement) -> None:
    assert requirement.specifier.contains(locked(requirement.name))


def test_every_locked_package_has_hashes() -> None:
    entries = [line for line in LOCK.splitlines() if line and line[0] not in "# "]
    assert len(ENTRY.findall(LOCK)) == len(entries)


@pytest.mark.parametrize("version", ["2.6.2", "2.6.3"])
def test_bad_releases_of_lightning_are_excluded(version: str) -> None:
    (lightning,) = (r for r in DECLARED if r.name == "lightning")
    assert not lightning.specifier.contains(version)
