from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edge_inference.errors import ContractMismatchError
from support.outputs import reader, rows

KIND = {"kind": "classification", "name": "logits", "labels": ["cat", "dog"], "topK": 1}
ODD = {"kind": "anomaly", "name": "odd", "threshold": 0.5}
VECTOR = {"kind": "embedding", "name": "vector"}
UNDER = reader(kind="several", outputs={"kind": KIND, "odd": ODD, "vector": VECTOR})
GIVEN: dict[str, Any] = {"logits": [[0.2, 0.8], [0.9, 0.1]], "odd": [0.1, 0.7], "vector": [[1, 0], [0, 1]]}


def test_each_has_its_columns_and_routes_see_the_first_that_speaks() -> None:
    assert UNDER.names == ("logits", "odd", "vector")
    assert rows(UNDER, **GIVEN)[1] == {
        "kind_label": "cat",
        "kind_score": 0.9,
        "kind_labels": ["cat"],
        "kind_scores": [0.9],
        "odd_score": 0.7,
        "odd_alert": True,
        "vector_embedding": [0, 1],
        "alert": True,
        "label": "cat",
        "score": 0.9,
    }


def test_models_agree_as_their_least_agreeing_meaning() -> None:
    one, other = rows(UNDER, **GIVEN)
    assert (UNDER.agree(one, one), UNDER.agree(one, other)) == (1.0, 0.0)


def test_drift_shows_in_each() -> None:
    assert UNDER.features == {"kind_label": 2, "kind_score": 0, "odd_score": 0, "vector_norm": 0}
    np.testing.assert_allclose(UNDER.measure(rows(UNDER, **GIVEN)), [[1, 0.8, 0.1, 1], [0, 0.9, 0.7, 1]])


def test_each_sees_to_its_own_shape() -> None:
    with pytest.raises(ContractMismatchError, match="odd"):
        UNDER.check({"logits": (None, 2), "odd": (None, 2), "vector": (None, 2)})


@pytest.mark.parametrize("outputs", [{}, {"a_b": ODD}, {"a": {"kind": "several", "outputs": {"b": ODD}}}])
def test_what_makes_no_sense_is_refused(outputs: Any) -> None:
    with pytest.raises(ValidationError):
        reader(kind="several", outputs=outputs)
