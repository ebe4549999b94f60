"""Files that are what they seem: regular, not links, and where their names say."""

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path, PurePosixPath

from edge_common.files import resolve_inside
from edge_inference.errors import NotFoundError, UnsafeModelError


def open_plain(root: Path, name: str, *, shared: bool = False) -> BufferedReader:
    """Open a file for reading that is regular, no link of either kind, and inside a folder.

    Args:
        root: The folder.
        name: Relative to it, POSIX.
        shared: Whether hard links are right there, because the folder's owner made them.

    Raises:
        NotFoundError: There is no such file.
        UnsafeModelError: It leads out of the folder, or is a link, a pipe, a device.
    """
    try:
        path = resolve_inside(root.resolve(), name)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{name} is not in {root.name}") from None
    except ValueError as error:
        raise UnsafeModelError(str(error)) from None
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise NotFoundError(f"{name} in {root.name} cannot be read ({error.strerror})") from error
        raise UnsafeModelError(f"{name} in {root.name} is a symbolic link") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (status.st_nlink != 1 and not shared):
        os.close(descriptor)
        raise UnsafeModelError(f"{name} in {root.name} is not a regular file with one link")
    return os.fdopen(descriptor, "rb")


def file_digest(root: Path, name: str) -> str:
    """The digest of a file in a folder that is the module's own, and may share it with others.

    Raises:
        NotFoundError: There is no such file.
        UnsafeModelError: It leads out of the folder, or is a symbolic link, a pipe, a device.
    """
    with open_plain(root, name, shared=True) as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def plain_files(folder: Path) -> list[str]:
    """The names of all files under a folder, relative to it, POSIX, sorted.

    Raises:
        NotFoundError: There is no such folder.
        UnsafeModelError: A symbolic link is among them.
    """
    if not folder.is_dir():
        raise NotFoundError(f"{folder.name} is not a folder")
    names = []
    for path in folder.rglob("*"):
        name = PurePosixPath(path.relative_to(folder)).as_posix()
        if path.is_symlink():
            raise UnsafeModelError(f"{name} in {folder.name} is a symbolic link")
        if not path.is_dir():
            names.append(name)
    return sorted(names)
