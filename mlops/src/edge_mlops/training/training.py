"""Trains a classifier."""

from pathlib import Path

import numpy as np

from edge_inference.package import CONTRACT, GRAPH
from edge_mlops.dataset import versions
from edge_mlops.dataset.split import SPLITS
from edge_mlops.errors import DatasetError
from edge_mlops.labelled import Labelled, load
from edge_mlops.training import runs
from edge_mlops.training.estimators import Trained, fit
from edge_mlops.training.recipes import Recipe
from edge_mlops.wishes import Wish
from edge_upload.sinks.choice import named


async def train(version: Path, wish: Wish, folder: Path, recipe: Recipe, store: str | None = None) -> Path:
    """Make a run; a run with the same ingredients is not made again.

    Args:
        version: The folder of a dataset's version.
        wish: What the model is to take, and what an alert is.
        folder: Where runs are.
        recipe: How to train.
        store: Where the dataset's files are now, unless where it was frozen from.

    Returns:
        The run's folder.

    Raises:
        StepError: The dataset does not do.
        SinkError: The store does not answer.
        ConfigurationError: The environment opens no such store.
    """
    about = versions.read(version)
    ingredients = runs.Ingredients(
        dataset=f"{about.name}:{about.version}",
        data=about.digest,
        wish=wish,
        recipe=recipe,
        code=runs.code(),
        environment=runs.environment(recipe),
    )
    run = folder / ingredients.digest
    if not run.exists():
        data = await _loaded(store or about.store, version, wish)
        with runs.made(run) as made:
            _write(made, ingredients, version, data)
    return run


async def _loaded(store: str, version: Path, wish: Wish) -> dict[str, Labelled]:
    sink = named(store)
    try:
        data = {split: await load(sink, version, split, wish.input) for split in SPLITS}
    finally:
        await sink.close()
    classes = {*data["train"].labels}
    if len(classes) < 2:  # noqa: PLR2004 - to tell apart
        raise DatasetError(
            f"to train takes samples of two labels; {version} has {', '.join(sorted(classes)) or 'none'}"
        )
    if not data["test"].labels:
        raise DatasetError(f"no item of the test set of {version} has a label")
    return data


def _write(folder: Path, ingredients: runs.Ingredients, version: Path, data: dict[str, Labelled]) -> None:
    trained = fit(ingredients.recipe, data["train"], data["validation"])
    contract = ingredients.wish.contract(trained.classes)
    (folder / GRAPH).write_bytes(trained.graph(contract))
    (folder / CONTRACT).write_text(runs.as_json(contract))
    np.save(folder / runs.EXPECTED, trained.probabilities(data["test"].samples))
    run = runs.Run(
        ingredients=ingredients,
        version=version.resolve(),
        samples={split: len(some.labels) for split, some in data.items()},
        accuracy={split: _accuracy(trained, some) for split, some in data.items() if some.labels},
        unprepared=sum((some.unprepared for some in data.values()), start=type(data["train"].unprepared)()),
        converged=trained.converged,
    )
    (folder / runs.RUN).write_text(runs.as_json(run))


def _accuracy(trained: Trained, some: Labelled) -> float:
    best = trained.probabilities(some.samples).argmax(axis=1)
    return round(float(np.mean(np.array(trained.classes)[best] == np.array(some.labels))), 4)
