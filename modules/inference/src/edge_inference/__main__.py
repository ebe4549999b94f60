"""Wires the module."""

import asyncio

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tensors import TensorReader
from edge_inference.announcer import Announcer
from edge_inference.engine import Engine
from edge_inference.loader import Loader
from edge_inference.manager import ModelManager
from edge_inference.measures import Measures
from edge_inference.methods import Methods
from edge_inference.onnx_session import OnnxSession
from edge_inference.proving import Proving
from edge_inference.reporter import Reporter
from edge_inference.serving import Serving
from edge_inference.session import Opener
from edge_inference.settings import InferenceEnvironment, InferenceSettings
from edge_inference.store import ModelStore
from edge_inference.trial import Watch


def wire(around: Surroundings[InferenceEnvironment], open_session: Opener = OnnxSession) -> Wiring[InferenceSettings]:
    """Build the module.

    Args:
        around: What it is given.
        open_session: What loads graphs.
    """
    environment, hub, clock = around.environment, around.hub, around.clock
    measures, serving, reporter = Measures(around.metrics.registry), Serving(), Reporter(hub, "model")
    announcer = Announcer(hub, serving, clock)
    watch = Watch()
    store = ModelStore(environment.state_dir / "models")
    manager = ModelManager(
        loader=Loader(store, serving, open_session),
        serving=serving,
        record=environment.state_dir / "active.json",
        model_dir=environment.model_dir,
        clock=clock,
        reporter=reporter,
        announcer=announcer,
        proving=Proving(watch, clock),
        measures=measures,
    )
    engine = Engine(hub, TensorReader(environment.tensor_dir), serving, watch, announcer, clock, measures)

    async def configure(settings: InferenceSettings) -> None:
        manager.configure(settings)
        engine.configure(settings.callers)
        announcer.configure(settings.announce_seconds)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for work in (reporter.run, announcer.run, manager.run):
                group.create_task(work())
            await manager.restore()
            await engine.run()

    async def drain() -> None:
        await manager.drain()
        await engine.drain()
        watch.close()

    return Wiring(
        inputs={"tensors": engine.tensors},
        run=run,
        configure=configure,
        drain=drain,
        methods=Methods(manager, serving, store).by_name,
        sections={"model": manager.desire},
    )


def main() -> None:
    """Run the module until it is told to stop."""
    run_module("inference", InferenceEnvironment, InferenceSettings, wire)


if __name__ == "__main__":
    main()
