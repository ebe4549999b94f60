"""Pages for people: one HTML file each, with nothing to load."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES: Final = Environment(
    loader=PackageLoader("edge_mlops", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: Over it.
        text: A sentence or two, if there is something to say.
        head: Of a table.
        rows: Of the table; without any there is none.
        plots: Below it.
    """

    title: str
    text: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    plots: Sequence[Markup] = ()


def page(title: str, sections: Iterable[Section]) -> str:
    """A page as HTML; all but the plots is escaped."""
    return _TEMPLATES.get_template("page.html.j2").render(title=title, sections=[*sections])


def counts(of: Mapping[str, int]) -> list[tuple[str, int]]:
    """Rows of a table of counts."""
    return [(name.replace("_", " "), count) for name, count in of.items()]


def number(value: float | None) -> str:
    """A number as a table shows it."""
    return "-" if value is None else f"{value:.4g}"
