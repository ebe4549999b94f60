"""Places in a JSON document."""

Path = tuple[str | int, ...]


def render(path: Path) -> str:
    """Write a path as people do: `modules.a.settings.Binds[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
