"""Trains the two versions of the digit classifier, each under its own contract.

Version 1 is a multilayer perceptron on 8×8 pixels. Version 2 looks at 16×16 pixels with filters learnt by k-means from
patches (Coates, Ng and Lee, "An Analysis of Single-Layer Networks in Unsupervised Feature Learning", 2011) under a
logistic regression. Both train on pictures prepared by the very code that prepares them at the edge.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.cluster import MiniBatchKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from edge_common.contract import ClassificationOutput, Contract, ImageInput
from edge_examples.digits import graphs
from edge_examples.digits.data import SEED, Split, draw
from edge_examples.example import HeldOut, TrainedModel, trained
from edge_transform.prepare import prepare

TRAINING_SIZE: Final = (64, 64)
FILTERS: Final = 48
FILTER_SIDE: Final = 5
POOL: Final = 4
PATCHES: Final = 20_000

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


def train(training: Split, held_out: Split) -> tuple[TrainedModel, TrainedModel]:
    """Both versions, checked in onnxruntime on the held-out digits."""
    # On matrices this small, threads that wait for each other cost far more than they give.
    with threadpool_limits(1):
        return (
            _trained("1.0.0", 8, _perceptron, training, held_out),
            _trained("2.0.0", 16, _convolution, training, held_out),
        )


def _trained(
    version: str, side: int, fit: Callable[[Images, Labels], bytes], training: Split, held_out: Split
) -> TrainedModel:
    wanted = _input(side)
    images = _prepared(training, wanted)
    graph = fit(images, training.labels)
    output = ClassificationOutput(name="probabilities", labels=tuple("0123456789"), top_k=3)
    truth = [str(label) for label in held_out.labels]
    return trained(
        version, graph, Contract(input=wanted, output=output), images, HeldOut(_prepared(held_out, wanted), truth)
    )


def _input(side: int) -> ImageInput:
    return ImageInput(name="image", width=side, height=side, channels="L", mean=(0.0,), scale=(1 / 255,), batch=16)


def _prepared(split: Split, wanted: ImageInput) -> Images:
    return np.stack([prepare(draw(digit, TRAINING_SIZE), wanted) for digit in split.images])


def _perceptron(images: Images, labels: Labels) -> bytes:
    network = MLPClassifier(hidden_layer_sizes=(64,), max_iter=80, early_stopping=True, random_state=SEED)
    network.fit(images.reshape(len(images), -1), labels)
    return graphs.perceptron(images.shape[-1], list(zip(network.coefs_, network.intercepts_, strict=True)))


def _convolution(images: Images, labels: Labels) -> bytes:
    filters, filter_bias = _patch_filters(images)
    features = _features(images, filters, filter_bias)
    regression = LogisticRegression(max_iter=500).fit(features, labels)
    weight, bias = regression.coef_.T, regression.intercept_
    return graphs.convolution(images.shape[-1], filters, filter_bias, POOL, weight, bias)


def _windows(images: Images) -> Images:
    """All patches: ``(n, rows, columns, k, k)``."""
    return np.lib.stride_tricks.sliding_window_view(images[:, 0], (FILTER_SIDE, FILTER_SIDE), axis=(1, 2))


def _patch_filters(images: Images) -> tuple[Images, Images]:
    """Centres of normalised patches as filters, and the bias that takes each patch's mean similarity off."""
    patches = _windows(images).reshape(-1, FILTER_SIDE**2)
    chosen = np.random.default_rng(SEED).choice(len(patches), PATCHES, replace=False)
    patches = patches[chosen] - patches[chosen].mean(axis=1, keepdims=True)
    patches = patches[patches.std(axis=1) > 0.05]  # noqa: PLR2004 - flat patches teach nothing
    patches /= np.linalg.norm(patches, axis=1, keepdims=True)
    means = MiniBatchKMeans(FILTERS, n_init=1, random_state=SEED).fit(patches).cluster_centers_
    filters = means.reshape(FILTERS, 1, FILTER_SIDE, FILTER_SIDE).astype(np.float32)
    return filters, np.full(FILTERS, -0.1, np.float32)


def _features(images: Images, filters: Images, filter_bias: Images) -> Images:
    """What the graph's convolution, rectifier and pooling give: ``(n, filters × cells)``."""
    similarity = np.einsum("nrckl,fkl->nfrc", _windows(images), filters[:, 0], optimize=True)
    rectified = np.maximum(similarity + filter_bias[None, :, None, None], 0)
    cells = rectified.shape[-1] // POOL
    pooled = rectified[:, :, : cells * POOL, : cells * POOL].reshape(
        len(images), len(filters), cells, POOL, cells, POOL
    )
    features: Images = pooled.mean(axis=(3, 5), dtype=np.float32).reshape(len(images), -1)
    return features
