from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.inference import Device
from support.models import contract, write_model
from support.signers import ROOT


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    device = Device(tmp_path)
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Device]:
    """One that runs only what is signed under the tests' root."""
    device = Device(tmp_path)
    device.trust = {"trust_policy": "strict", "trust_roots": ROOT.pin(tmp_path / "roots").parent}
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_model(tmp_path / "package", contract())
