"""The contract in force, and what outlives a restart."""

from pathlib import Path

import pytest

from edge_common.errors import MalformedMessageError
from edge_common.messages import ContractMessage
from edge_transform.contracts import Contracts
from unit.transform.pictures import COLOUR, LUMA


async def test_what_was_announced_goes_before_what_was_configured(tmp_path: Path) -> None:
    contracts = Contracts(tmp_path / "contract.json")
    assert contracts.in_force is None
    contracts.configured = COLOUR
    assert contracts.in_force == COLOUR
    await contracts.announce(ContractMessage(stamp=LUMA.stamp, input=LUMA))
    assert contracts.in_force == LUMA
    assert Contracts(tmp_path / "contract.json").in_force == LUMA


async def test_a_repeated_announcement_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "contract.json"
    contracts = Contracts(path)
    await contracts.announce(ContractMessage(stamp=LUMA.stamp, input=LUMA))
    path.unlink()
    await contracts.announce(ContractMessage(stamp=LUMA.stamp, input=LUMA))
    assert not path.exists()


async def test_a_stamp_that_is_not_the_digest_changes_nothing(tmp_path: Path) -> None:
    contracts = Contracts(tmp_path / "contract.json")
    with pytest.raises(MalformedMessageError):
        await contracts.announce(ContractMessage(stamp=LUMA.stamp, input=COLOUR))
    assert contracts.in_force is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", ContractMessage(stamp="0" * 64, input=LUMA).encode()[:-9]])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "contract.json").write_bytes(content)
    assert Contracts(tmp_path / "contract.json").in_force is None
