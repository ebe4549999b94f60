"""A small convolutional network for pictures, by PyTorch, and its graph.

Three blocks of 3×3 filters (16, 32 and 64), each but the first half as wide and high as the one before, a mean over
what is left of the picture, and one linear layer: things are told apart wherever they are in it.
"""

import copy
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import onnx
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from edge_common.contract import Contract
from edge_mlops.errors import DatasetError
from edge_mlops.labelled import Labelled
from edge_mlops.originals import Samples
from edge_mlops.training.recipes import Recipe

FILTERS: Final = (16, 32, 64)
BATCH: Final = 64
RATE: Final = 3e-3
MOST_EPOCHS: Final = 200
PATIENCE: Final = 20
"""So many epochs may pass without a better loss on the validation set."""

OPSET: Final = 18


class Network:
    """One that is trained; see :class:`~edge_mlops.training.estimators.Trained`."""

    def __init__(self, net: Any, classes: tuple[str, ...], *, converged: bool) -> None:
        self._net = net
        self.classes = classes
        self.converged = converged

    def probabilities(self, samples: Samples) -> Samples:
        blocks = [np.empty((0, len(self.classes)), np.float32)]
        with threadpool_limits(1), torch.inference_mode():
            blocks += [self._net(block).softmax(1).numpy() for block in torch.from_numpy(samples).split(BATCH)]
        return np.concatenate(blocks)

    def graph(self, contract: Contract) -> bytes:
        net = nn.Sequential(self._net, nn.Softmax(1)).eval()
        example = torch.zeros(2, *contract.input.sample_shape)  # of two: what is 1 would be taken for a constant
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, which nothing here needs
        with warnings.catch_warnings(action="ignore"):  # it warns of its own insides
            made = torch.onnx.export(
                net,
                (example,),
                input_names=[contract.input.name],
                output_names=["probabilities"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        model = _bare(made.model_proto)
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def fit(recipe: Recipe, train: Labelled, validation: Labelled) -> Network:
    """Train a network until it does no better on the validation set; the best one so far is what is taken.

    Raises:
        DatasetError: These are no pictures, or the validation set has none of the labels.
    """
    if train.samples.ndim != 4:  # noqa: PLR2004 - samples, channels, height, width
        raise DatasetError(f"a convolutional network takes pictures, not samples of shape {train.samples.shape[1:]}")
    classes = tuple(sorted({*train.labels}))
    seen, unseen = _tensors(train, classes), _tensors(validation, classes)
    if not len(unseen[1]):
        raise DatasetError("a convolutional network needs labels in the validation set, which tell it when to end")
    # The order in which numbers are added up must not hang on how many threads there are.
    with threadpool_limits(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        net = _network(seen[0], len(classes))
        best, lowest, waited = copy.deepcopy(net), float("inf"), 0
        for loss in _losses(net, seen, unseen):
            waited += 1
            if loss < lowest:
                best, lowest, waited = copy.deepcopy(net), loss, 0
            if waited == PATIENCE:
                break
    return Network(best.eval(), classes, converged=waited == PATIENCE)


def _tensors(some: Labelled, classes: tuple[str, ...]) -> tuple[Any, Any]:
    """Samples and the numbers of their labels, as far as these are known."""
    numbers = {label: number for number, label in enumerate(classes)}
    known = [place for place, label in enumerate(some.labels) if label in numbers]
    return torch.from_numpy(some.samples[known]), torch.tensor([numbers[some.labels[place]] for place in known])


def _network(samples: Any, classes: int) -> Any:
    """One that has learnt nothing but how bright and how different the samples are, by channel."""
    channels = samples.shape[1]
    standardised = nn.BatchNorm2d(channels, affine=False)
    standardised.running_var, standardised.running_mean = torch.var_mean(samples, (0, 2, 3))
    blocks = [
        nn.Sequential(nn.Conv2d(before, filters, 3, stride, padding=1, bias=False), nn.BatchNorm2d(filters), nn.ReLU())
        for before, filters, stride in zip((channels, *FILTERS), FILTERS, (1, 2, 2), strict=False)
    ]
    return nn.Sequential(standardised, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(FILTERS[-1], classes))


def _losses(net: Any, seen: tuple[Any, Any], unseen: tuple[Any, Any]) -> Iterator[float]:
    """Train an epoch at a time; gives the loss on the validation set after each."""
    loss, optimizer = nn.CrossEntropyLoss(), torch.optim.AdamW(net.parameters(), RATE)
    for _ in range(MOST_EPOCHS):
        net.train()
        net[0].eval()
        for places in torch.randperm(len(seen[1])).split(BATCH):
            optimizer.zero_grad()
            loss(net(seen[0][places]), seen[1][places]).backward()
            optimizer.step()
        net.eval()
        with torch.inference_mode():
            logits = torch.cat([net(block) for block in unseen[0].split(BATCH)])
            yield float(loss(logits, unseen[1]))


def _bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without what PyTorch notes of itself, such as the folder that it is installed in."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model
