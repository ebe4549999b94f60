import click
import pytest

from edge_examples.__main__ import _run
from edge_examples.suite import SuiteError


async def _fail(error: Exception) -> None:
    raise error


REFUSED = SuiteError("the module refused the model")


@pytest.mark.parametrize("error", [REFUSED, ExceptionGroup("side by side", [REFUSED])])
def test_an_expected_error_is_one_sentence(error: Exception) -> None:
    with pytest.raises(click.ClickException, match=r"^the module refused the model$"):
        _run(_fail(error))


def test_an_unexpected_error_beside_it_is_not_hidden() -> None:
    with pytest.raises(ExceptionGroup):
        _run(_fail(ExceptionGroup("side by side", [REFUSED, ValueError("a bug")])))
