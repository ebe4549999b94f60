"""Words for a terminal."""


def printable(text: str) -> str:
    """A path may hold what would play tricks on a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
