from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.inference import Device
from support.models import contract, write_model


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    device = Device(tmp_path)
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_model(tmp_path / "package", contract())
