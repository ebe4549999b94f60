"""``edge-transform``: wires the module."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from edge_common.background import background
from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tasks import together
from edge_common.tensors import TensorWriter
from edge_transform.contracts import Contracts
from edge_transform.counts import Counts
from edge_transform.settings import TransformEnvironment, TransformSettings
from edge_transform.store import BatchStore
from edge_transform.transform import IN_HAND, Transform
from edge_transform.trials import Trials
from edge_transform.workshop import DECODING, HANDS, Decoding, Workshop


def wire(around: Surroundings[TransformEnvironment], decoding: Decoding = DECODING) -> Wiring[TransformSettings]:
    """Build the module.

    Args:
        around: What it is given.
        decoding: How files are decoded.
    """
    environment, clock = around.environment, around.clock
    store = BatchStore(TensorWriter(environment.tensor_dir, TransformSettings().store_budget_bytes), clock)
    counts = Counts.of(around.metrics.registry, lambda: store.used)
    share = environment.share_dir.resolve()
    workshop = Workshop(
        share, counts.seconds, decoding, ThreadPoolExecutor(HANDS, "prepare"), ThreadPoolExecutor(IN_HAND, "stream")
    )
    spare = Workshop(share, counts.trial_seconds, decoding, background("trials"), background("trials"))
    trials = Trials(around.hub, clock, spare, store)
    contracts = Contracts(environment.state_dir / "contract.json")
    transform = Transform(around.hub, clock, contracts, workshop, store, counts, trials)

    async def configure(settings: TransformSettings) -> None:
        trials.configure(settings)
        await transform.configure(settings)

    async def drain() -> None:
        trials.close()
        await transform.drain()

    return Wiring(
        inputs={
            "items": transform.on_items,
            "contract": transform.on_contract,
            "receipts": transform.on_receipts,
            "trials": trials.on_trial,
        },
        run=partial(together, transform.run, trials.run),
        configure=configure,
        drain=drain,
    )


def main() -> None:
    """Run the module."""
    run_module("transform", TransformEnvironment, TransformSettings, wire)


if __name__ == "__main__":
    main()
