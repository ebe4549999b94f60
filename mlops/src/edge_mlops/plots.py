"""Plots for pages: figures as SVG text, the same bytes for the same numbers."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS: Final = ("#1f5a99", "#e0a030", "#5aa469", "#b04a5a")
Draw = Callable[[Axes], None]

MOST_NAMES: Final = 30
"""Below an axis."""

MOST_LEVEL: Final = 12
"""Names that stand side by side; more are turned."""

STYLE: Final[dict[Any, Any]] = {
    "text.parse_math": False,  # a label may hold a dollar sign
    "svg.hashsalt": "edge-mlops",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def svg(draw: Draw, width: float = 7.0, height: float = 3.0) -> Markup:
    """A figure of one plot.

    Args:
        draw: Draws it.
        width: In inches.
        height: Likewise.
    """
    with mpl.rc_context(STYLE):
        figure = Figure((width, height), layout="constrained")
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return Markup(file.getvalue()[file.getvalue().index("<svg") :])  # noqa: S704 - matplotlib escapes what it writes


def stacked(axes: Axes, names: Sequence[str], parts: Mapping[str, Sequence[float]], ylabel: str) -> None:
    """A bar a name, of parts one upon the other."""
    bottom = [0.0] * len(names)
    for colour, (part, heights) in zip(COLOURS, parts.items(), strict=False):
        axes.bar(range(len(names)), heights, bottom=bottom, color=colour, label=part, width=0.8)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    every = -(-len(names) // MOST_NAMES)
    axes.set_xticks(range(0, len(names), every), names[::every], rotation=45 if len(names) > MOST_LEVEL else 0)
    axes.set_ylabel(ylabel)
    axes.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
