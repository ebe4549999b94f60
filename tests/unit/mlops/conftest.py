"""A dataset of handwritten digits, frozen from a store that upload has filled."""

import io
import json

import pytest

from edge_examples.digits.data import draw, load
from support.datasets import SMALL, Digits, Store, on_share

ITEMS = 240


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    store = Store(tmp_path_factory.mktemp("digits"))
    known, _ = load()
    items = []
    for number in range(ITEMS):
        file = io.BytesIO()
        draw(known.images[number], (32, 32)).save(file, "PNG")
        items.append(on_share(store.share, f"line-{number % 2}/{number}", file.getvalue()))
    store.fill(items)
    lines = [f"{item.path},{known.labels[number]}\n" for number, item in enumerate(items)]
    labels = store.labels("path,label\n" + "".join(lines))
    wish = store.root / "input.json"
    wish.write_text(json.dumps(SMALL))
    return Digits(store.frozen("--labels", labels), wish, store)
