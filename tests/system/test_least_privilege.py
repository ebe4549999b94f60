"""Each module as its own user: what it needs works, what it does not own is closed to it, and no secret gets out."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from edge_examples.suite import TEMPLATE
from support.suite import Plant

pytestmark = pytest.mark.system

GROUP = 10_000
USERS = {"ingest": 10_001, "transform": 10_002, "inference": 10_003, "upload": 10_004}
FILES = 12


def as_user(user: int, *command: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={GROUP}", "--clear-groups", *command],
        check=False,
        capture_output=True,
    )


def may(user: int, what: str, path: Path) -> bool:
    """Whether a user may read (``-r``), write (``-w``) or enter (``-x``) something."""
    return as_user(user, "/usr/bin/test", what, path).returncode == 0


@pytest.fixture
def plant() -> Iterator[Plant]:
    if os.geteuid() != 0 or not Path("/usr/bin/setpriv").exists():
        pytest.skip("needs root and setpriv, to become other users")
    folder = Path(tempfile.mkdtemp(prefix="edge-users-"))  # pytest's own folders let no other user in
    folder.chmod(0o755)
    if as_user(USERS["ingest"], Path(sys.executable), "-c", "import edge_ingest").returncode:
        pytest.skip("needs an environment that other users can run")
    yield Plant.build(folder, FILES)
    shutil.rmtree(folder)


def manifest_with_users(folder: Path) -> Path:
    """The deployment, with each module's program started as its user, as a container's would be."""
    text = TEMPLATE.read_text()
    for module, user in USERS.items():
        command = ["setpriv", f"--reuid={user}", f"--regid={GROUP}", "--clear-groups", f"edge-{module}"]
        entry = '"Entrypoint": [' + ", ".join(f'"{word}"' for word in command) + "]"
        text = text.replace(f'"User": "{user}:{GROUP}"', f'"User": "{user}:{GROUP}", {entry}')
    for name in ("modules", ".env"):  # a template's surroundings
        (folder / name).symlink_to(TEMPLATE.resolve().parent / name)
    path = folder / "users.template.json"
    path.write_text(text)
    return path


def give(path: Path, user: int, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, user, GROUP)
    path.chmod(mode)


def prepare(plant: Plant) -> Mapping[str, Path]:
    """Give each module what it owns; the names are those of the deployment's volumes."""
    folders = plant.folders
    folders.make()
    volumes = folders.state / "volumes"
    owned = {module: volumes / f"{module}-state" for module in USERS}
    for module, folder in owned.items():
        give(folder, USERS[module], 0o700)
    give(volumes / "tensors", USERS["transform"], 0o750)
    give(folders.share, USERS["ingest"], 0o755)
    give(folders.cloud, USERS["upload"], 0o750)
    return owned


def open_workload_api(state: Path) -> None:
    """Let every user reach it, as IoT Edge does."""
    socket = (state / "sockets").resolve() / "workload.sock"
    socket.parent.chmod(0o711)
    socket.chmod(0o666)


def processes_of(user: int) -> list[Path]:
    """The processes of a user, as folders in ``/proc``."""
    return [path for path in Path("/proc").glob("[0-9]*") if owner_of(path) == user]


def owner_of(process: Path) -> int | None:
    """Whose a process is, unless it has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return process.stat().st_uid
    return None


def command_line(process: Path) -> bytes:
    """What a process was started with; nothing if it has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return (process / "cmdline").read_bytes()
    return b""


def shown(state: Path) -> bytes:
    """All that the modules have written to their logs, and what their command lines and metrics show."""
    logs = {module: (state / f"logs/{module}.log").read_bytes() for module in USERS}
    ports = [re.findall(rb"metrics at http://0.0.0.0:(\d+)", log)[-1].decode() for log in logs.values()]
    metrics = [httpx.get(f"http://127.0.0.1:{port}/metrics").content for port in ports]
    lines = [command_line(path) for user in USERS.values() for path in processes_of(user)]
    assert any(b"edge-ingest" in line for line in lines)
    return b"".join([*logs.values(), *metrics, *lines])


def key_of(module: str, state: Path) -> bytes:
    """The secret that a module signs its tokens with; the simulator stops the module when it is asked for it."""
    program = Path(sys.executable).with_name("edge-simulator")
    command = [str(program), "credentials", module, "--connection-string", "--state", str(state)]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    found = re.search(rb"SharedAccessKey=([A-Za-z0-9+/=]{20,})", printed)
    assert found
    return found[1]


async def test_each_module_does_its_work_as_its_own_user_and_reaches_nothing_else(plant: Plant) -> None:
    owned = prepare(plant)
    folders = plant.folders
    async with plant.running(manifest=manifest_with_users(folders.root.parent)) as suite:
        open_workload_api(folders.state)
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops)
        counts = await suite.until_settled(FILES)
        assert all(processes_of(user) for user in USERS.values())
        twins = repr(
            [await suite.reported(module, name) for module in USERS for name in ("status", "config", "ledger")]
        )
        seen = shown(folders.state) + twins.encode()
        secrets = [await asyncio.to_thread(key_of, module, folders.state) for module in USERS]
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong
    for module, folder in owned.items():
        assert may(USERS[module], "-w", folder)
        assert not any(may(USERS[other], "-x", folder) for other in USERS.keys() - {module})
    tensors = folders.state / "volumes/tensors"
    writes = {
        (module, folder) for module in USERS for folder in (folders.share, folders.cloud, folders.models, tensors)
    }
    allowed = {(module, folder) for module, folder in writes if may(USERS[module], "-w", folder)}
    assert allowed == {("ingest", folders.share), ("upload", folders.cloud), ("transform", tensors)}
    assert not [secret for secret in [b"SharedAccess", *secrets] if secret in seen]
