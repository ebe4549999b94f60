"""How a model can be made."""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict


class Estimator(NamedTuple):
    """A way to make a model.

    Attributes:
        module: In this package; its ``fit`` makes one, as :mod:`~edge_mlops.training.estimators` says.
        packages: Whose versions decide how it comes out.
    """

    module: str
    packages: tuple[str, ...]


_SCIKIT: Final = Estimator("scikit", ("scikit-learn", "skl2onnx"))

MAKERS: Final[Mapping[str, Estimator]] = {
    "linear": _SCIKIT,
    "perceptron": _SCIKIT,
    "convolutional": Estimator("convolutional", ("torch", "onnxscript")),
}
"""By name. A further one is a line here, and its file."""

ESTIMATORS: Final = (*MAKERS,)


def _known(name: str) -> str:
    if name not in MAKERS:
        raise ValueError(f"{name!r} is none of {', '.join(ESTIMATORS)}")
    return name


class Recipe(BaseModel):
    """What is chosen of a training.

    Attributes:
        estimator: One of ``ESTIMATORS``.
        seed: Of all that is drawn at random.
    """

    model_config = ConfigDict(frozen=True)

    estimator: Annotated[str, AfterValidator(_known)] = ESTIMATORS[0]
    seed: int = 0
