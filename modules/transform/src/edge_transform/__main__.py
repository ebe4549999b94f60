"""``edge-transform``: wires the module."""

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tensors import TensorWriter
from edge_transform.contracts import Contracts
from edge_transform.counts import Counts
from edge_transform.settings import TransformEnvironment, TransformSettings
from edge_transform.store import BatchStore
from edge_transform.transform import Transform
from edge_transform.workshop import DECODING, Decoding, Workshop


def wire(around: Surroundings[TransformEnvironment], decoding: Decoding = DECODING) -> Wiring[TransformSettings]:
    """Build the module.

    Args:
        around: What it is given.
        decoding: How files are decoded.
    """
    environment, clock = around.environment, around.clock
    store = BatchStore(TensorWriter(environment.tensor_dir, TransformSettings().store_budget_bytes), clock)
    counts = Counts.of(around.metrics.registry, lambda: store.used)
    workshop = Workshop(environment.share_dir.resolve(), counts.seconds, decoding)
    contracts = Contracts(environment.state_dir / "contract.json")
    transform = Transform(around.hub, clock, contracts, workshop, store, counts)
    return Wiring(
        inputs={
            "items": transform.on_items,
            "contract": transform.on_contract,
            "receipts": transform.on_receipts,
        },
        run=transform.run,
        configure=transform.configure,
        drain=transform.drain,
    )


def main() -> None:
    """Run the module."""
    run_module("transform", TransformEnvironment, TransformSettings, wire)


if __name__ == "__main__":
    main()
