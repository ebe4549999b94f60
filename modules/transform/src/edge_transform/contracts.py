"""The contract in force: the one that inference announced last, which outlives a restart, or else the twin's."""

import asyncio
import logging
from pathlib import Path

from edge_common.contract import Input
from edge_common.errors import MalformedMessageError
from edge_common.files import write_atomically
from edge_common.messages import ContractMessage

log = logging.getLogger(__name__)


class Contracts:
    """Knows the contract in force.

    Args:
        path: Where the announced contract is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._announced = self._restore()
        self.configured: Input | None = None

    @property
    def in_force(self) -> Input | None:
        """What the next batch is prepared under; None before there is any contract."""
        return self._announced or self.configured

    async def announce(self, message: ContractMessage) -> None:
        """Take an announced contract in force.

        Raises:
            MalformedMessageError: Its stamp is not its digest.
            OSError: It cannot be kept.
        """
        if message.stamp != message.input.stamp:
            raise MalformedMessageError(f"contract {message.stamp} has the digest {message.input.stamp}")
        if message.input != self._announced:
            await asyncio.to_thread(write_atomically, self._path, message.encode())
            self._announced = message.input
            log.info("contract %.12s is in force", message.stamp)

    def _restore(self) -> Input | None:
        try:
            return ContractMessage.decode(self._path.read_bytes()).input
        except FileNotFoundError:
            return None
        except (OSError, MalformedMessageError) as error:
            log.warning("the contract in %s cannot be used (%s); waiting for the next announcement", self._path, error)
            return None
