"""JSON that people write."""

from pathlib import Path

from pydantic import ValidationError


def wrong(file: Path, error: ValidationError) -> str:
    """What is wrong with a file, in a sentence: the first field that is, without its value."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
