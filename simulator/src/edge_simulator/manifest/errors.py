"""What can be wrong with a manifest."""


class ManifestError(Exception):
    """A manifest, template or file that it refers to cannot be read; `path` is the place in it, where there is one."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path
