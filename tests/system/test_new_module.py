"""A module of one's own, from nothing to data in it."""

import shlex
import sys
from pathlib import Path

import pytest

from support.scaffold import NAME, Copy, check_data_goes_through
from support.suite import Plant

pytestmark = pytest.mark.system


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy.below(tmp_path)


def test_it_is_laid_out_beside_the_others_and_is_as_sound_as_they_are(copy: Copy) -> None:
    before = copy.files()
    copy.lay_out()
    after = copy.files()
    assert {path for path in before if before[path] != after.get(path)} == {"pyproject.toml"}
    assert all(path.startswith((f"modules/{NAME}/", f"tests/unit/{NAME}/")) for path in after.keys() - before.keys())
    own = f"modules/{NAME}/src"
    copy.run("ruff", "check", ".")
    copy.run("ruff", "format", "--check", ".")
    copy.run("mypy", own)
    copy.run("lint-imports", PYTHONPATH=own)
    copy.run("pytest", f"tests/unit/{NAME}", PYTHONPATH=own)


@pytest.mark.parametrize(("name", "reason"), [("upload", "there is a module upload"), ("My-Own", "is no name")])
def test_what_cannot_be_a_module_is_refused_and_leaves_nothing(copy: Copy, name: str, reason: str) -> None:
    before = copy.files()
    with pytest.raises(AssertionError, match=reason):
        copy.run("python", "-m", "scaffold", name)
    assert copy.files() == before


def test_a_second_one_has_a_user_of_its_own(copy: Copy) -> None:
    copy.lay_out()
    copy.run("python", "-m", "scaffold", "another")
    users = [
        line.split()[1]
        for path in copy.root.glob("modules/*/Dockerfile.amd64")
        for line in path.read_text().splitlines()
        if line.startswith("USER ")
    ]
    assert len(users) == len(set(users)) == 6


async def test_data_goes_through_it(copy: Copy, tmp_path: Path) -> None:
    copy.lay_out()
    plant = Plant.build(tmp_path, 20)
    manifest = copy.deployed(Entrypoint=[str(installed(copy, tmp_path / "site"))])
    await check_data_goes_through(plant, manifest)


def installed(copy: Copy, site: Path) -> Path:
    """Install the module into a folder, as `make new-module` does into the environment; what starts it."""
    copy.run("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", f"--target={site}", f"./modules/{NAME}")
    start = site / "start"
    start.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(site))} exec {shlex.quote(sys.executable)} -m edge_{NAME}\n"
    )
    start.chmod(0o755)
    return start
