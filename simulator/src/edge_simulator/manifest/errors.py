"""What can be wrong with a manifest file."""


class ManifestError(Exception):
    """A manifest or template that cannot be read; the message names the place and what to do."""
