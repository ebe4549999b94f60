"""Wires the module."""

from functools import partial

from edge_common.clock import Clock
from edge_common.errors import ConfigurationError
from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.tasks import together
from edge_common.tensors import TensorReader
from edge_inference.alone import connect
from edge_inference.announcer import Announcer
from edge_inference.desired import Places
from edge_inference.drift.alerts import Alerts
from edge_inference.drift.episode import EpisodeFile
from edge_inference.drift.measures import DriftMeasures
from edge_inference.drift.monitor import DriftMonitor
from edge_inference.drift.report import DriftReport
from edge_inference.engine import Engine
from edge_inference.hints import Hints
from edge_inference.loader import Loader
from edge_inference.manager import ModelManager
from edge_inference.measures import Measures
from edge_inference.methods import Methods
from edge_inference.onlookers import Onlookers
from edge_inference.onnx_session import OnnxSession
from edge_inference.proving import Proving
from edge_inference.registry.registries import Registries
from edge_inference.reporter import Reporter
from edge_inference.serving import Serving
from edge_inference.session import Opener
from edge_inference.settings import InferenceEnvironment, InferenceSettings
from edge_inference.signing.notary import Notary
from edge_inference.signing.trust import Trust
from edge_inference.store import ModelStore
from edge_inference.trial import Watch
from edge_inference.trials import Trials
from edge_inference.tuning.book import Book
from edge_inference.tuning.trying import MakeBench, Stopwatch
from edge_inference.tuning.tuner import Tuner
from edge_inference.web.wiring import web_server


def wire(
    around: Surroundings[InferenceEnvironment], open_session: Opener = OnnxSession, bench: MakeBench = Stopwatch
) -> Wiring[InferenceSettings]:
    """Build the module.

    Args:
        around: What it is given.
        open_session: What loads graphs.
        bench: What measures how they run best.
    """
    environment, hub, clock = around.environment, around.hub, around.clock
    measures, serving = Measures(around.metrics.registry), Serving()
    announcer, hints, reader = Announcer(hub, serving, clock), Hints(hub), TensorReader(environment.tensor_dir)
    watch, trials, drift = Watch(hints), Trials(hub, reader, clock), watch_drift(around, serving)
    onlookers = Onlookers(watch, drift)
    engine = Engine(hub, reader, serving, onlookers, announcer, clock, measures)
    store, registries = ModelStore(environment.state_dir / "models"), allowed_registries(environment)
    tuner = Tuner(Book(environment.state_dir / "tuning.json"), clock, bench)
    manager = ModelManager(
        loader=Loader(store, serving, notary(environment, clock), open_session, tuner),
        serving=serving,
        record=environment.state_dir / "active.json",
        places=Places(environment.model_dir, registries),
        clock=clock,
        reporter=Reporter(hub, "model"),
        announcer=announcer,
        proving=Proving(watch, trials, clock),
        batcher=engine.batcher,
        measures=measures,
    )

    web = web_server(around, engine, serving)

    async def configure(settings: InferenceSettings) -> None:
        manager.configure(settings)
        engine.configure(settings)
        drift.configure(settings)
        announcer.configure(settings.announce_seconds)

    async def serve() -> None:
        await manager.restore()
        await engine.run()

    async def drain() -> None:
        if web:
            await web.drain()
        await manager.drain()
        await engine.drain()
        onlookers.close()
        registries.close()

    works = [serve, announcer.run, hints.run, manager.run, drift.run, *([web.run_beside] if web else [])]
    return Wiring(
        inputs={"tensors": engine.tensors, "trials": trials.on_batch},
        run=partial(together, *works),
        configure=configure,
        drain=drain,
        methods=Methods(manager, serving, store, trials).by_name,
        sections={"model": manager.desire},
    )


def watch_drift(around: Surroundings[InferenceEnvironment], serving: Serving) -> DriftMonitor:
    """What watches the input of the model that serves."""
    alerts = Alerts(around.hub, EpisodeFile(around.environment.state_dir / "drift.json"))
    report = DriftReport(Reporter(around.hub, "drift"))
    return DriftMonitor(serving, around.clock, alerts, report, DriftMeasures(around.metrics.registry))


def notary(environment: InferenceEnvironment, clock: Clock) -> Notary:
    """The notary that holds packages to the trust that the environment states."""
    trust = Trust(environment.trust_policy, environment.trust_roots)
    return Notary(trust, environment.state_dir / "signatures", clock.now)


def allowed_registries(environment: InferenceEnvironment) -> Registries:
    """The registries that the environment allows.

    Raises:
        ConfigurationError: The certificates to trust cannot be read.
    """
    allowed, credentials, ca = (
        environment.allowed_registries,
        environment.registry_credentials,
        environment.registry_ca,
    )
    try:
        return Registries.connect(allowed, credentials, ca)
    except OSError as error:
        raise ConfigurationError(f"REGISTRY_CA: {error}") from error


def main() -> None:
    """Run the module until it is told to stop."""
    run_module("inference", InferenceEnvironment, InferenceSettings, wire, connect)


if __name__ == "__main__":
    main()
