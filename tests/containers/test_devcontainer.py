"""The development container: its Dockerfile and post-create command, without a registry and without a network.

The base is a Debian that has the packages already, so apt has nothing to fetch; pip gets its files from a folder. The
features, Node.js and Docker, come from a registry, and are left out.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from support.project import ROOT, copy_to

FOLDER = ROOT / ".devcontainer"
BASE, IMAGE = "edge-devcontainer-base:test", "edge-devcontainer:test"

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, f"{command[:3]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def described() -> dict[str, Any]:
    description: dict[str, Any] = json.loads((FOLDER / "devcontainer.json").read_text(encoding="utf-8"))
    return description


def packages() -> list[str]:
    dockerfile = (FOLDER / described()["build"]["dockerfile"]).read_text(encoding="utf-8")
    [line] = re.findall(r"apt-get install [-a-z ]*--no-install-recommends (.*) \\", dockerfile)
    return str(line).split()


@pytest.fixture(scope="module")
def image(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if shutil.which("mmdebstrap") is None:
        pytest.skip("needs mmdebstrap: make engine")
    tar = tmp_path_factory.mktemp("base") / "base.tar"
    include = ",".join(("python3", "python3-venv", "ca-certificates", *packages()))
    forget = "--customize-hook=rm -f $1/etc/apt/sources.list $1/etc/apt/sources.list.d/*"
    run("mmdebstrap", "--quiet", "--variant=apt", f"--include={include}", forget, "bookworm", str(tar))
    run("docker", "import", str(tar), BASE)
    options = ("--quiet", "--network", "none", "--build-arg", f"BASE_IMAGE={BASE}", "--tag", IMAGE)
    run("docker", "build", *options, str(FOLDER))
    yield IMAGE
    for name in (IMAGE, BASE):
        client.images.remove(name)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for lock in ("requirements-build.lock", "requirements.lock"):
        options = ("--quiet", "--require-hashes", "--no-deps", "--no-build-isolation", "--dest", str(folder))
        run(sys.executable, "-m", "pip", "download", *options, "-r", str(ROOT / lock))
    return folder


def test_after_its_creation_the_suite_s_commands_are_there(image: str, wheels: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    copy_to(workspace)
    script = f"{described()['postCreateCommand']} && .venv/bin/edge-run --help"
    mounts = ("--volume", f"{workspace}:/workspace", "--volume", f"{wheels}:/wheels:ro", "--workdir", "/workspace")
    variables = ("--env", "PIP_NO_INDEX=1", "--env", "PIP_FIND_LINKS=/wheels", "--env", "HOME=/tmp")
    user = ("--user", f"{os.getuid()}:{os.getgid()}", "--network", "none")
    told = run("docker", "run", "--rm", *user, *mounts, *variables, image, "bash", "-c", script)
    assert "Usage: edge-run" in told
