"""Each example that is not the main job, on processes."""

from pathlib import Path

import pytest

from edge_examples.catalogue import EXAMPLES
from support.examples import check_example

pytestmark = pytest.mark.system


@pytest.mark.parametrize("name", EXAMPLES.keys() - {"digits"})
async def test_an_example_settles_every_file_as_it_should(name: str, tmp_path: Path) -> None:
    await check_example(name, tmp_path)
