"""A disk that is really full."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.inference import Device
from support.models import contract, write_model

V1, V2, V3 = contract("v1"), contract("v2", side=6), contract("v3", side=8)
PAGE = 4096


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, for the module's state; skips where that cannot be mounted."""
    mount, umount, state = shutil.which("mount"), shutil.which("umount"), tmp_path / "state"
    state.mkdir()
    if mount is None or umount is None or os.geteuid():
        pytest.skip("needs root, to mount a small disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(state)], check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield state
    subprocess.run([umount, str(state)], check=True)


@pytest.fixture
async def small(small_disk: Path) -> AsyncIterator[Device]:
    device = Device(small_disk.parent)
    await device.start()
    yield device
    await device.stop()


def blobs(device: Device) -> set[str]:
    return {path.name for path in (device.state / "models" / "blobs" / "sha256").iterdir()}


@pytest.mark.parametrize("spare", [-2 * PAGE, PAGE])
async def test_a_full_disk_leaves_the_active_model_and_the_next_try_alone(small: Device, spare: int) -> None:
    """Too large by what the manifest says (-2 pages), or only found when the disk refuses (1 page for five files)."""
    await small.swap_to(small.pack(V1, version="1"))
    ballast, before = small.state / "ballast", blobs(small)
    ballast.write_bytes(b"b" * 400_000)
    free = shutil.disk_usage(small.state).free
    folder = write_model(small.models / "loose", V2)
    (folder / "weights.bin").write_bytes(os.urandom(free - spare))
    wanted = small.loose(folder, "teller", "2")
    small.desire(wanted, requestId="full")
    await small.hub.until_reported("model.last.code", "NO_SPACE")
    detail = small.hub.reported["model"]["last"]["detail"]
    assert ("No space left" in detail) == (spare > 0), detail
    assert small.hub.reported["model"]["active"]["version"] == "1"
    assert blobs(small) == before
    small.send(V1, 1)
    assert (await small.predictions())[0].model.version == "1"
    ballast.unlink()
    small.desire(wanted, requestId="again")
    await small.hub.until_reported("model.active.version", "2")
    await small.hub.until_reported("model.state", "Active")
