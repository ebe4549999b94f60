"""A session that is no graph: the test says what it computes."""

from collections.abc import Callable, Mapping, Sequence

from edge_common.contract import Contract
from edge_common.messages import ModelIdentity
from edge_inference.model import LoadedModel
from edge_inference.outputs import interpreter
from edge_inference.session import Array, Plan, Port, Way

PLAN = Plan(("CPUExecutionProvider",), require_gpu=False)


class FakeSession:
    """Runs a function.

    Attributes:
        sizes: How many samples each run had.
    """

    def __init__(
        self,
        made_by: Contract,
        compute: Callable[[Array], Array],
        providers: Sequence[str] = PLAN.providers,
        rows: int | str = "batch",
    ) -> None:
        self.providers = providers
        self.inputs = {made_by.input.name: Port("tensor(float)", (rows, *made_by.input.sample_shape))}
        [output] = interpreter(made_by).names
        self.outputs = {output: Port("tensor(float)", (rows, "classes"))}
        self.way = Way()
        self.sizes: list[int] = []
        self._compute = compute

    def anew(self, way: Way) -> "FakeSession":
        self.way = way
        return self

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        assert {*self.outputs} == {*outputs}
        [samples] = feeds.values()
        self.sizes.append(len(samples))
        return [self._compute(samples)]


def fake_model(made_by: Contract, session: FakeSession, name: str = "teller") -> LoadedModel:
    """A loaded model around a fake session."""
    identity = ModelIdentity(name=name, version="1", digest=f"sha256:{made_by.input.stamp}")
    return LoadedModel(identity, made_by, session, interpreter(made_by), PLAN)
