"""A version's profile as a page."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from edge_mlops.dataset.profile import Feature, Profile
from edge_mlops.dataset.split import SPLITS
from edge_mlops.dataset.versions import Dataset
from edge_mlops.page import Section, counts, number, page
from edge_mlops.plots import COLOURS, stacked, svg


def report(about: Dataset, profile: Profile, before: Profile | None) -> str:
    """The page as HTML; ``before`` is the profile of the version before."""
    return page(f"Dataset {about.name}, version {about.version}", _sections(about, profile, before))


def _sections(about: Dataset, profile: Profile, before: Profile | None) -> Iterator[Section]:
    earlier = before.features if before else {}
    yield Section(
        "Items",
        f"{sum(about.items.values())} items from {about.store}, frozen {about.created:%Y-%m-%d %H:%M} UTC.",
        ("split", "items", "with a label"),
        [(split, about.items.get(split, 0), about.labelled.get(split, 0)) for split in SPLITS],
        [_bars(profile.days, "items")],
    )
    if profile.classes:
        drift = "" if profile.classes_psi is None else f"PSI against the version before: {profile.classes_psi}."
        yield Section("Labels", drift, plots=[_bars(profile.classes, "items")])
    yield Section(
        "Features",
        "PSI is against the version before, whose outline is drawn in orange: above 0.25 the data have changed.",
        ("feature", "least", "mean", "most", "PSI"),
        [(name, *map(number, (one.low, one.mean, one.high, one.psi))) for name, one in profile.features.items()],
        [_histogram(name, one, earlier.get(name)) for name, one in profile.features.items()],
    )
    yield Section("Left out", "", ("why", "how many"), counts({**about.left_out, **profile.unprepared}))


def _bars(of: Mapping[str, Mapping[str, int]], what: str) -> Markup:
    names = [*of]
    parts = {split: [of[name].get(split, 0) for name in names] for split in SPLITS}
    return svg(partial(stacked, names=names, parts=parts, ylabel=what))


def _histogram(name: str, feature: Feature, before: Feature | None) -> Markup:
    def draw(axes: Axes) -> None:
        axes.stairs(*_density(feature), fill=True, color=COLOURS[0], alpha=0.8)
        if before:
            axes.stairs(*_density(before), color=COLOURS[1], linewidth=2)
        axes.set_xlabel(name)
        axes.set_yticks([])

    return svg(draw, height=1.6)


def _density(feature: Feature) -> tuple[np.ndarray, np.ndarray]:
    """Share by width of each bin, and the edges; the outer bins end at the least and the largest value."""
    inner = feature.histogram.edges
    first, last = min(feature.low, *inner, feature.high), max(feature.high, *inner)
    edges = np.array([first, *inner, last])
    widths = np.diff(edges)
    shares = np.array(feature.histogram.counts) / sum(feature.histogram.counts)
    return np.divide(shares, widths, out=np.zeros_like(shares), where=widths > 0), edges
