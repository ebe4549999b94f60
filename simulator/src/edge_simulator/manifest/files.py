"""Reading the files that make up a manifest."""

from pathlib import Path

from edge_simulator.manifest.errors import ManifestError


def read_text(path: Path) -> str:
    """Read a UTF-8 file.

    Raises:
        ManifestError: it is not there, or no such text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"cannot be read: {error.strerror}", str(path)) from error
    except UnicodeDecodeError as error:
        raise ManifestError("is no UTF-8 text", str(path)) from error
