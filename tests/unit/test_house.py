"""The house itself: locks, packages and promises that nobody would notice drifting."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

PINNED = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)
NAME = re.compile(r"^[A-Za-z0-9._-]+")
MARKER = re.compile(r"python_version (<|>=) '([\d.]+)'")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    with (root / "pyproject.toml").open("rb") as file:
        loaded: dict[str, Any] = tomllib.load(file)["project"]
    return loaded


def pins(lock: Path) -> dict[str, str]:
    return dict(PINNED.findall(lock.read_text()))


def wanted(lines: list[str], python: str) -> set[str]:
    """Names of the requirements that hold for this Python."""
    names = set()
    for line in lines:
        version = tuple(map(int, python.split(".")))
        holds = True
        for sign, bound in MARKER.findall(line):
            limit = tuple(map(int, bound.split(".")))
            holds &= version < limit if sign == "<" else version >= limit
        found = NAME.match(line)
        assert found
        if holds:
            names.add(re.sub(r"[._]", "-", found[0].lower()))
    return names


@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("what", ["hub", "dev"])
def test_the_lock_holds_every_name_of_the_project(
    root: Path, project: dict[str, Any], what: str, python: str
) -> None:
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + extras["hub"] + (extras["dev"] if what == "dev" else [])
    lock = root / "packaging" / "lock" / f"{what}-py{python.replace('.', '')}.txt"
    assert wanted(lines, python) <= set(pins(lock)), "run: make lock"


@pytest.mark.parametrize("python", ["311", "313"])
def test_tests_run_on_the_versions_that_a_hub_runs_on(root: Path, python: str) -> None:
    folder = root / "packaging" / "lock"
    hub, dev = pins(folder / f"hub-py{python}.txt"), pins(folder / f"dev-py{python}.txt")
    assert hub.items() <= dev.items(), "run: make lock"


def test_a_hub_carries_no_tool_and_no_tensorflow(root: Path) -> None:
    for lock in (root / "packaging" / "lock").glob("hub-*.txt"):
        assert not {"tensorflow", "pytest", "mypy", "babel", "hypothesis"} & set(pins(lock))


def test_every_pin_has_a_hash_and_no_lock_names_a_registry(root: Path) -> None:
    locks = sorted((root / "packaging" / "lock").glob("*.txt"))
    assert len(locks) == 6
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text
        assert "index-url" not in text
        assert "find-links" not in text
        for block in re.split(r"\n(?=\S)", text.strip()):
            assert PINNED.match(block), block
            assert "--hash=sha256:" in block, block


def test_packaging_and_tests_never_shadow_an_installed_package(root: Path) -> None:
    assert not list((root / "packaging").rglob("__init__.py"))
    assert not list((root / "tests").rglob("__init__.py"))


def test_every_folder_with_code_is_a_package_with_its_reason(root: Path) -> None:
    for tree in ("gateway", "models", "provisioning"):
        for folder in {path.parent for path in (root / tree).rglob("*.py")}:
            first = folder / "__init__.py"
            assert first.is_file(), folder
            assert first.read_text().lstrip().startswith('"""'), f"{first} says nothing"


def test_no_module_is_two_rooms(root: Path) -> None:
    long = {
        str(path.relative_to(root)): lines
        for tree in ("gateway", "models", "provisioning", "tests", "packaging")
        for path in (root / tree).rglob("*.py")
        if (lines := path.read_text().count("\n")) > 400
    }
    assert long == {}


def test_what_a_package_promises_is_there(root: Path, project: dict[str, Any]) -> None:
    assert "Apache License" in (root / "LICENSE").read_text()
    assert project["license"] == "Apache-2.0"
    for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG", "docs/glossary"):
        assert (root / f"{name}.md").stat().st_size > 500, name


def test_links_between_our_pages_lead_somewhere(root: Path) -> None:
    dead = []
    for page in [*root.glob("*.md"), *(root / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in target and not target.startswith("mailto:"):
                if not (page.parent / target).exists():
                    dead.append(f"{page.relative_to(root)}: {target}")
    assert dead == []
