"""``edge-NAME``: wires the module."""

from edge_common.lifecycle import Surroundings, Wiring, run_module
from edge_common.settings import Environment
from edge_NAME.counter import Counter
from edge_NAME.settings import Settings


def wire(around: Surroundings[Environment]) -> Wiring[Settings]:
    """Build the module."""
    counter = Counter(around.hub, around.clock)
    return Wiring(inputs={"predictions": counter.on_predictions}, run=counter.run, configure=counter.configure)


def main() -> None:
    """Run the module."""
    run_module("NAME", Environment, Settings, wire)


if __name__ == "__main__":
    main()
