"""How a model can be made. A further way is a name here, and a line in ``estimators``."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

ESTIMATORS: Final = ("linear", "perceptron")


class Recipe(BaseModel):
    """What is chosen of a training.

    Attributes:
        estimator: ``linear``, a logistic regression; ``perceptron``, one hidden layer of 64; on standardised values.
        seed: Of all that is drawn at random.
    """

    model_config = ConfigDict(frozen=True)

    estimator: Literal["linear", "perceptron"] = "linear"
    seed: int = 0
