"""What is asked of a model before there is one: the input half, and what an alert is."""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from edge_common.contract import ClassificationOutput, Contract, Input
from edge_mlops.documents import wrong
from edge_mlops.errors import InputError

_INPUT: Final[TypeAdapter[Any]] = TypeAdapter(Input)


class Wish(BaseModel):
    """What a model is to take and say.

    Attributes:
        input: The contract's input half.
        alerts: The labels that are an alert.
    """

    model_config = ConfigDict(frozen=True)

    input: Input
    alerts: tuple[str, ...] = ()

    def contract(self, labels: tuple[str, ...]) -> Contract:
        """That of a model that tells these labels apart."""
        alerts = tuple(label for label in self.alerts if label in labels)
        output = ClassificationOutput(name="probabilities", labels=labels, top_k=min(3, len(labels)), alerts=alerts)
        return Contract(input=self.input, output=output)


def read_wish(file: Path) -> Wish:
    """The wish in a contract, such as the active model's; or in a file with the input half alone.

    Raises:
        InputError: It holds neither.
    """
    try:
        document = json.loads(file.read_bytes())
        if "output" not in document:
            return Wish(input=_INPUT.validate_python(document))
        contract = Contract.model_validate(document)
    except ValidationError as error:
        raise InputError(wrong(file, error)) from error
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{file}: {error}") from error
    output = contract.output
    return Wish(input=contract.input, alerts=output.alerts if isinstance(output, ClassificationOutput) else ())
