"""What a candidate is held to: each gate judges measured numbers. Pure; where nothing was measured, nothing is said."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from edge_inference.errors import DisagreementError, ErrorRateError, GoldenFailedError, LatencyError

FEWEST_RUNS: Final = 20
"""A percentile of fewer runs means nothing."""


def check_golden(agreed: int, rows: int, least: float) -> None:
    """Raises GoldenFailedError where too few of the package's examples came out."""
    if agreed < least * rows:
        raise GoldenFailedError(f"{agreed} of the package's {rows} examples came out; at least {least:.0%} must")


def check_errors(errors: int, rows: int, most: float) -> None:
    """Raises ErrorRateError where the model failed on too many samples."""
    if errors > most * rows:
        raise ErrorRateError(f"it failed on {errors} of {rows} live samples; at most {most:.1%} may fail")


def check_agreement(agreed: float, compared: int, least: float) -> None:
    """Raises DisagreementError where too few samples were answered as the other model does."""
    if agreed < least * compared:
        raise DisagreementError(
            f"it agreed on {agreed:.6g} of {compared} live samples; at least {least:.1%} must agree"
        )


def check_latency(seconds: Sequence[float], before: Sequence[float], most: float) -> None:
    """Raises LatencyError where it is too slow.

    Args:
        seconds: A sample's share of each of its runs.
        before: The same of the model before it.
        most: What the ratio of their 95th percentiles may be.
    """
    if min(len(seconds), len(before)) < FEWEST_RUNS:
        return
    ours, theirs = (float(np.percentile(values, 95)) for values in (seconds, before))
    if ours > most * theirs:
        raise LatencyError(
            f"p95 is {ours * 1e3:.3g} ms a sample, {theirs * 1e3:.3g} before; {most:g} times are allowed"
        )
