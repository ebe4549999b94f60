"""Which revision of the code is at work."""

import os
from pathlib import Path
from typing import Final

from git import InvalidGitRepositoryError, Repo

ENVIRONMENT: Final = "EDGE_CODE_REVISION"
"""The variable that says it where there is no working tree: in a container, in a build."""

DIRTY: Final = "-dirty"


def revision(file: Path = Path(__file__)) -> str | None:
    """The commit that a file of the code is from; with ``-dirty`` behind it if the tree differs from that commit.

    Returns:
        What the environment says; else the commit of the working tree that the file belongs to; else None.
    """
    if said := os.environ.get(ENVIRONMENT):
        return said
    try:
        with Repo(file.parent, search_parent_directories=True) as tree:
            if not tree.head.is_valid() or not tree.git.ls_files(file):
                return None
            return tree.head.commit.hexsha + (DIRTY if tree.is_dirty(untracked_files=True) else "")
    except InvalidGitRepositoryError:
        return None
