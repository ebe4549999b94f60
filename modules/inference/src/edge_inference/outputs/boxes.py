"""Boxes in pictures: arrays of shape ``(boxes, 4)`` with left, top, right and bottom."""

from typing import Final

import numpy as np

from edge_common.messages import Frame
from edge_inference.session import Array

ALIKE: Final = 0.5
"""Boxes with such an intersection over union mean the same object: as in PASCAL VOC's measure."""


def corners(columns: Array, layout: str) -> Array:
    """Boxes of any layout (see :class:`edge_common.contract.DetectionOutput`)."""
    if layout == "cornersYx":
        return np.asarray(columns[:, [1, 0, 3, 2]])
    if layout == "center":
        middles, halves = columns[:, :2], columns[:, 2:] / 2
        return np.hstack([middles - halves, middles + halves])
    return columns


def in_picture(boxes: Array, frame: Frame) -> Array:
    """Boxes that are in shares of a sample, in pixels of its picture, and no further than its borders."""
    left, top, right, bottom = frame.box
    begin = np.array([left, top, left, top])
    placed = begin + boxes * np.array([right - left, bottom - top] * 2)
    return np.asarray(np.clip(placed, 0, [frame.width, frame.height] * 2))


def overlaps(boxes: Array, others: Array) -> Array:
    """Intersection over union of each with each: shape ``(boxes, others)``; 0 where both are empty."""
    begin = np.maximum(boxes[:, None, :2], others[None, :, :2])
    end = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    common = np.clip(end - begin, 0, None).prod(axis=2)
    union = _areas(boxes)[:, None] + _areas(others)[None, :] - common
    return np.asarray(np.divide(common, union, out=np.zeros_like(common), where=union > 0))


def keep(boxes: Array, scores: Array, classes: Array, overlap: float, most: int) -> list[int]:
    """Non-maximum suppression among the boxes of each class: the numbers of those that stand, the best first.

    Args:
        boxes: The candidates'.
        scores: Theirs.
        classes: Theirs.
        overlap: The share that two of a class may have in common.
        most: How many may stand.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order) and len(kept) < most:
        best, order = int(order[0]), order[1:]
        kept.append(best)
        if overlap < 1:
            [rivals] = np.nonzero(classes[order] == classes[best])
            [shares] = overlaps(boxes[[best]], boxes[order[rivals]])
            order = np.delete(order, rivals[shares > overlap])
    return kept


def matching(boxes: Array, labels: list[str], others: Array, other_labels: list[str]) -> float:
    """How far two sets of boxes are the same objects: F1, each with at most one partner of its label; 1 for none."""
    if not labels or not other_labels:
        return float(labels == other_labels)
    shared = overlaps(boxes, others) * (np.array(labels)[:, None] == np.array(other_labels)[None, :])
    pairs = 0
    while shared.max() >= ALIKE:
        row, column = np.unravel_index(shared.argmax(), shared.shape)
        shared[row, :] = shared[:, column] = 0
        pairs += 1
    return 2 * pairs / (len(labels) + len(other_labels))


def _areas(boxes: Array) -> Array:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1))
