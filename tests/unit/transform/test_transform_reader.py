"""Reading an item's file once, and only if it is what ingest saw."""

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from edge_common.errors import ItemError
from edge_common.messages import Item
from edge_transform import reader
from unit.transform.pictures import drop, item_of

CONTENT = b"what ingest hashed"
MOST = 1000


@pytest.fixture
def share(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "share"
    folder.mkdir()
    return folder


def read_item(share: Path, item: Item, max_bytes: int) -> bytes:
    return reader.read_item(share, item, max_bytes, lambda _: None)


def rejected(share: Path, item: Item, max_bytes: int = MOST) -> tuple[str, bool]:
    with pytest.raises(ItemError) as raised:
        read_item(share, item, max_bytes)
    return raised.value.code, raised.value.can_retry


def test_a_file_is_read(share: Path) -> None:
    assert read_item(share, drop(share, CONTENT, "a/b/c.png"), len(CONTENT)) == CONTENT


def test_an_empty_file_is_read(share: Path) -> None:
    assert read_item(share, drop(share, b""), MOST) == b""


@pytest.mark.parametrize("now", [b"", b"what ingest hashes", CONTENT[:-1], CONTENT + b"."])
def test_other_bytes_are_a_change(share: Path, now: bytes) -> None:
    item = drop(share, CONTENT)
    drop(share, now)
    assert rejected(share, item) == ("CHANGED", False)


def test_a_file_over_the_limit_is_not_read(share: Path) -> None:
    assert rejected(share, item_of(CONTENT, "not there"), len(CONTENT) - 1) == ("TOO_LARGE", False)


def test_a_file_that_grew_over_the_limit_is_not_read(share: Path) -> None:
    item = drop(share, CONTENT)
    with (share / item.path).open("ab") as file:
        file.truncate(2**40)
    assert rejected(share, item) == ("CHANGED", False)


def test_a_missing_file_is_gone_and_may_come_back(share: Path) -> None:
    assert rejected(share, item_of(CONTENT, "a/b.png")) == ("GONE", True)


def test_a_missing_share_may_come_back(share: Path) -> None:
    share.rmdir()
    assert rejected(share, item_of(CONTENT)) == ("GONE", True)


def test_a_file_where_the_folder_was_is_gone(share: Path) -> None:
    drop(share, b"", "a")
    assert rejected(share, item_of(CONTENT, "a/b.png")) == ("GONE", True)


def test_a_link_in_the_files_place_is_a_change_even_to_the_same_bytes(share: Path) -> None:
    item = drop(share, CONTENT, "real.png")
    (share / "link.png").symlink_to("real.png")
    assert rejected(share, item.model_copy(update={"path": "link.png"})) == ("CHANGED", False)


def test_a_folder_that_now_leads_out_of_the_share_is_a_change(share: Path) -> None:
    item = drop(share.parent, CONTENT, "outside/secret.png")
    (share / "folder").symlink_to("../outside")
    assert rejected(share, item.model_copy(update={"path": "folder/secret.png"})) == ("CHANGED", False)


def test_links_in_a_circle_are_a_change(share: Path) -> None:
    (share / "a").symlink_to("b")
    (share / "b").symlink_to("a")
    assert rejected(share, item_of(CONTENT, "a/c.png")) == ("CHANGED", False)


def test_a_pipe_a_socket_and_a_folder_are_changes_and_nothing_waits(share: Path) -> None:
    os.mkfifo(share / "pipe")
    (share / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(share / "socket"))
        for path in ("pipe", "socket", "folder"):
            assert rejected(share, item_of(CONTENT, path)) == ("CHANGED", False)


def test_a_name_that_the_file_system_refuses_is_worth_another_try(share: Path) -> None:
    """As is every other failure of the share that passes, such as NFS's EACCES."""
    assert rejected(share, item_of(CONTENT, "n" * 300)) == ("IO", True)


def unwanted(head: bytes) -> None:
    raise ItemError("UNSUPPORTED", f"nobody wants {head[:4]!r}")


def test_what_is_not_wanted_is_never_held(share: Path) -> None:
    item = drop(share, bytes(1 << 26))
    tracemalloc.start()
    with pytest.raises(ItemError, match="nobody wants") as raised:
        reader.read_item(share, item, 1 << 30, unwanted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert raised.value.code == "UNSUPPORTED"
    assert peak < 1 << 22


def test_what_is_not_wanted_and_has_changed_is_a_change(share: Path) -> None:
    item = drop(share, CONTENT)
    drop(share, CONTENT[::-1])
    with pytest.raises(ItemError) as raised:
        reader.read_item(share, item, MOST, unwanted)
    assert raised.value.code == "CHANGED"
