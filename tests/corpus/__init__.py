"""Files that nobody wants on a share, made by seeded code; each with what must become of it."""

from corpus.cases import Case
from corpus.documents import DOCUMENTS
from corpus.pictures import PICTURES
from corpus.tables import TABLES
from corpus.tensors import TENSORS

__all__ = ["CASES", "Case"]

CASES: tuple[Case, ...] = (*PICTURES, *TABLES, *TENSORS, *DOCUMENTS)
"""All of them; names are unique, and paths on the share."""
