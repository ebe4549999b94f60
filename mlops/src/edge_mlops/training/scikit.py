"""Estimators of scikit-learn, and their graphs."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from edge_common.contract import Contract
from edge_mlops.labelled import Labelled
from edge_mlops.originals import Samples
from edge_mlops.training.recipes import Recipe

OPSETS: Final = {"": 17, "ai.onnx.ml": 3}
FLAT: Final = "flat_input"
PROBABILITIES: Final = "probabilities"

_MADE: Final[Mapping[str, Callable[[int], Any]]] = {
    "linear": lambda seed: LogisticRegression(max_iter=1000, random_state=seed),
    "perceptron": lambda seed: MLPClassifier((64,), max_iter=300, tol=1e-3, random_state=seed),
}


class Fitted:
    """A pipeline that is trained; see :class:`~edge_mlops.training.estimators.Trained`."""

    def __init__(self, pipeline: Pipeline, *, converged: bool) -> None:
        self._pipeline = pipeline
        self.classes: tuple[str, ...] = tuple(pipeline.classes_.tolist())
        self.converged = converged

    def probabilities(self, samples: Samples) -> Samples:
        if not len(samples):
            return np.empty((0, len(self.classes)), np.float32)
        return np.asarray(self._pipeline.predict_proba(_flat(samples)), np.float32)

    def graph(self, contract: Contract) -> bytes:
        wanted = contract.input
        size = int(np.prod(wanted.sample_shape))
        made = convert_sklearn(
            self._pipeline,
            initial_types=[(FLAT, FloatTensorType([None, size]))],
            options={id(self._pipeline): {"zipmap": False}},
            target_opset=OPSETS,
        )
        graph = made.graph
        value = helper.make_tensor_value_info(wanted.name, TensorProto.FLOAT, ["batch", *wanted.sample_shape])
        nodes = [helper.make_node("Flatten", [wanted.name], [FLAT]), *graph.node]
        outputs = [output for output in graph.output if output.name == PROBABILITIES]
        whole = helper.make_graph(nodes, "classifier", [value], outputs, graph.initializer)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(whole, opset_imports=opsets, ir_version=made.ir_version)
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())


def fit(recipe: Recipe, train: Labelled, _: Labelled) -> Fitted:
    """Train on standardised values."""
    pipeline: Pipeline = make_pipeline(StandardScaler(), _MADE[recipe.estimator](recipe.seed))
    # On matrices this small, threads that wait for each other cost far more than they give.
    with threadpool_limits(1), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ConvergenceWarning)
        pipeline.fit(_flat(train.samples), train.labels)
    return Fitted(pipeline, converged=not any(issubclass(one.category, ConvergenceWarning) for one in told))


def _flat(samples: Samples) -> Samples:
    return samples.reshape(len(samples), -1)
