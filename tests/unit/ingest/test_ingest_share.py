"""The share's tree and its private folder, with real files of every kind."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import chdir
from hashlib import sha256
from pathlib import Path

import pytest

from edge_ingest.globs import PathFilter
from edge_ingest.marks import ensure, mark_of
from edge_ingest.share import Share, ShareAwayError, UnsettledError, digest_at
from edge_ingest.sight import Signature
from edge_ingest.vault import Vault
from edge_ingest.walk import DEEPEST, walk

ID = "0123456789abcdef0123456789abcdef"
EVERYTHING = PathFilter(["**"], [])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "share"
    root.mkdir()
    return root


@pytest.fixture
def share(root: Path) -> Share:
    return Share(root)


@pytest.fixture
def vault(share: Share) -> Vault:
    return Vault(share)


def put(root: Path, path: str, data: bytes = b"data") -> str:
    """Write a file; gives the hash of its content."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)
    return sha256(data).hexdigest()


def signature(root: Path, path: str) -> Signature:
    status = (root / path).lstat()
    return Signature(status.st_size, status.st_mtime_ns)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


class TestWalk:
    def test_sees_files_in_all_folders_but_the_private_one(self, root: Path, share: Share) -> None:
        for path in ["a", "b/c", "b/d/e", ".edge/quarantine/x", "b/.edge/y"]:
            put(root, path)
        assert {sight.path for sight in walk(share, EVERYTHING)} == {"a", "b/c", "b/d/e", "b/.edge/y"}

    def test_sees_only_what_is_wanted(self, root: Path, share: Share) -> None:
        for path in ["a.png", "b/c.png", "b/d.txt"]:
            put(root, path)
        assert {sight.path for sight in walk(share, PathFilter(["**/*.png"], []))} == {"a.png", "b/c.png"}

    def test_never_follows_a_link(self, root: Path, share: Share, tmp_path: Path) -> None:
        put(tmp_path, "outside/secret")
        (root / "folder").symlink_to(tmp_path / "outside")
        (root / "loop").symlink_to(root)
        (root / "broken").symlink_to("nowhere")
        assert {sight.path for sight in walk(share, EVERYTHING)} == {"folder", "loop", "broken"}

    def test_an_empty_share_is_no_trouble(self, share: Share) -> None:
        assert list(walk(share, EVERYTHING)) == []

    def test_a_share_that_is_away_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ShareAwayError):
            list(walk(Share(tmp_path / "away"), EVERYTHING))

    def test_a_bottomless_tree_has_an_end(self, root: Path, share: Share) -> None:
        deepest = "/".join(["d"] * DEEPEST)
        put(root, f"{deepest}/seen")
        put(root, f"{deepest}/d/unseen")
        assert [sight.path for sight in walk(share, EVERYTHING)] == [f"{deepest}/seen"]

    def test_leaves_nothing_open_when_it_is_abandoned(self, root: Path, share: Share) -> None:
        put(root, "a/b/c")
        before = len(list(Path("/proc/self/fd").iterdir()))
        sights = walk(share, EVERYTHING)
        next(sights)
        assert len(list(Path("/proc/self/fd").iterdir())) > before
        del sights
        assert len(list(Path("/proc/self/fd").iterdir())) == before


class TestEach:
    def test_enters_the_folder_of_each_path(self, root: Path, share: Share) -> None:
        for path in ["a/1", "a/2", "b/1", "top"]:
            put(root, path, path.encode())
        seen = []
        for folder, name, path in share.each(["a/1", "a/2", "b/1", "a/1", "top"]):
            assert isinstance(folder, int)
            seen.append((path, digest_at(folder, name)))
        assert seen == [(path, sha256(path.encode()).hexdigest()) for path in ["a/1", "a/2", "b/1", "a/1", "top"]]

    @pytest.mark.parametrize("path", ["no/folder", "file/below", "link/secret"])
    def test_says_why_a_folder_cannot_be_entered(self, root: Path, share: Share, tmp_path: Path, path: str) -> None:
        put(root, "file")
        put(tmp_path, "outside/secret")
        (root / "link").symlink_to(tmp_path / "outside")
        [(error, _, _)] = share.each([path])
        assert isinstance(error, FileNotFoundError | NotADirectoryError)

    def test_a_share_that_is_away_is_not_an_absent_folder(self, tmp_path: Path) -> None:
        [(error, _, _)] = Share(tmp_path / "away").each(["a"])
        assert isinstance(error, ShareAwayError)


class TestDigest:
    @pytest.fixture
    def folder(self, root: Path) -> Iterator[int]:
        with Share(root).folder("") as folder:
            yield folder

    def test_a_file_is_hashed(self, root: Path, folder: int) -> None:
        expected = put(root, "a", os.urandom(3_000_000))
        assert digest_at(folder, "a", signature(root, "a")) == expected

    def test_a_file_that_has_changed_is_not(self, root: Path, folder: int) -> None:
        put(root, "a", b"before")
        before = signature(root, "a")
        put(root, "a", b"and after")
        with pytest.raises(UnsettledError):
            digest_at(folder, "a", before)

    @pytest.mark.parametrize("kind", ["nothing", "link", "fifo", "socket", "folder"])
    def test_what_is_no_file_by_now_is_neither_followed_nor_waited_for(
        self, root: Path, folder: int, kind: str
    ) -> None:
        put(root.parent, "secret")
        match kind:
            case "link":
                (root / "a").symlink_to(root.parent / "secret")
            case "fifo":
                os.mkfifo(root / "a")
            case "folder":
                (root / "a").mkdir()
            case "socket":
                with chdir(root), socket.socket(socket.AF_UNIX) as listener:  # a socket's address is short
                    listener.bind("a")
        with pytest.raises(UnsettledError):
            digest_at(folder, "a")


class TestIdentity:
    def test_another_root_has_another_identity(self, root: Path, share: Share) -> None:
        before = share.identity()
        root.rename(root.with_name("old"))
        assert share.identity() is None
        root.mkdir()
        assert share.identity() not in {None, before}


class TestQuarantine:
    def test_a_file_is_moved_with_its_reason_beside(self, root: Path, vault: Vault) -> None:
        put(root, "a/b.png", b"bad")
        assert vault.quarantine(ID, "a/b.png", signature(root, "a/b.png"), {"code": "BAD", "path": "a/b.png"})
        kept = root / ".edge/quarantine/a/b.png"
        assert kept.read_bytes() == b"bad"
        assert json.loads(kept.with_name("b.png.reason.json").read_text()) == {"code": "BAD", "path": "a/b.png"}
        assert not (root / "a/b.png").exists()

    def test_a_second_one_of_the_same_name_gets_another(self, root: Path, vault: Vault) -> None:
        for number in range(4):
            put(root, "b.png", b"%d" % number)
            assert vault.quarantine(ID, "b.png", signature(root, "b.png"), {"number": number})
        folder = root / ".edge/quarantine"
        kept = {path.read_bytes() for path in folder.glob("*.png")}
        assert kept == {b"0", b"1", b"2", b"3"}
        for path in folder.glob("*.png"):
            assert json.loads(Path(f"{path}.reason.json").read_text()) == {"number": int(path.read_bytes())}

    def test_a_file_of_its_folder_s_name_is_no_obstacle(self, root: Path, vault: Vault) -> None:
        put(root, ".edge/quarantine/a", b"file")
        put(root, "a/b")
        assert vault.quarantine(ID, "a/b", signature(root, "a/b"), {})
        assert (root / ".edge/quarantine" / ID / "b").exists()

    def test_a_link_itself_is_moved(self, root: Path, vault: Vault, tmp_path: Path) -> None:
        put(tmp_path, "secret")
        (root / "link").symlink_to(tmp_path / "secret")
        assert vault.quarantine(ID, "link", signature(root, "link"), {})
        assert (root / ".edge/quarantine/link").is_symlink()
        assert (tmp_path / "secret").exists()

    def test_a_fifo_and_a_socket_are_moved(self, root: Path, vault: Vault) -> None:
        os.mkfifo(root / "fifo")
        with chdir(root), socket.socket(socket.AF_UNIX) as listener:  # a socket's address is short
            listener.bind("socket")
        for name in ("fifo", "socket"):
            assert vault.quarantine(ID, name, signature(root, name), {})
        assert (root / ".edge/quarantine/fifo").is_fifo()
        assert (root / ".edge/quarantine/socket").is_socket()

    def test_what_has_taken_its_place_is_not_moved(self, root: Path, vault: Vault) -> None:
        put(root, "a", b"bad")
        before = signature(root, "a")
        put(root, "a", b"good now")
        assert not vault.quarantine(ID, "a", before, {})
        assert tree(root) == {"a": b"good now"}

    @pytest.mark.parametrize("path", ["nothing", "no/folder"])
    def test_nothing_is_there(self, root: Path, vault: Vault, path: str) -> None:
        assert not vault.quarantine(ID, path, Signature(1, 1), {})
        assert tree(root) == {}

    def test_the_longest_name_fits(self, root: Path, vault: Vault) -> None:
        name = "ü" * 125 + ".jpeg"
        put(root, name)
        assert vault.quarantine(ID, name, signature(root, name), {})
        assert len(list((root / ".edge/quarantine").iterdir())) == 2

    def test_a_link_in_place_of_the_private_folder_leads_nowhere(
        self, root: Path, vault: Vault, tmp_path: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (root / ".edge").symlink_to(tmp_path / "outside")
        put(root, "a")
        with pytest.raises(NotADirectoryError):
            vault.quarantine(ID, "a", signature(root, "a"), {})
        assert list((tmp_path / "outside").iterdir()) == []
        assert (root / "a").exists()


class TestRetirement:
    def test_delete(self, root: Path, vault: Vault) -> None:
        digest = put(root, "a/b")
        assert vault.retire(ID, "a/b", digest, "2026-01-01", "delete")
        assert tree(root) == {}

    def test_archive(self, root: Path, vault: Vault) -> None:
        digest = put(root, "a/b.png")
        assert vault.retire(ID, "a/b.png", digest, "2026-01-01", "archive")
        assert tree(root) == {".edge/archive/2026-01-01/a/b.png": b"data"}

    def test_archived_again_it_gets_another_name(self, root: Path, vault: Vault) -> None:
        for _ in range(3):
            assert vault.retire(ID, "b.png", put(root, "b.png"), "2026-01-01", "archive")
        assert len(tree(root)) == 3

    @pytest.mark.parametrize("retention", ["delete", "archive"])
    @pytest.mark.parametrize("data", [b"other", b"other data, and longer"])
    def test_other_bytes_are_put_back(self, root: Path, vault: Vault, retention: str, data: bytes) -> None:
        put(root, "a/b", data)
        digest = sha256(b"what was uploaded").hexdigest()
        assert not vault.retire(ID, "a/b", digest, "2026-01-01", "delete" if retention == "delete" else "archive")
        assert tree(root) == {"a/b": data}

    def test_they_are_put_back_beside_what_came_meanwhile(self, root: Path, vault: Vault) -> None:
        put(root, f".edge/retiring/{ID}", b"other")
        put(root, "a.png", b"newcomer")
        assert not vault.retire(ID, "a.png", sha256(b"").hexdigest(), "2026-01-01", "delete")
        assert tree(root) == {"a.png": b"newcomer", "a~01234567.png": b"other"}

    def test_they_are_put_back_even_where_their_folder_has_become_a_file(self, root: Path, vault: Vault) -> None:
        put(root, f".edge/retiring/{ID}", b"other")
        put(root, "a", b"file")
        assert not vault.retire(ID, "a/b", sha256(b"").hexdigest(), "2026-01-01", "delete")
        assert tree(root) == {"a": b"file", f"{ID}/b": b"other"}

    def test_what_an_earlier_life_has_begun_is_finished(self, root: Path, vault: Vault) -> None:
        digest = put(root, f".edge/retiring/{ID}")
        put(root, "a", b"newcomer")
        assert vault.leftovers() == [ID]
        assert vault.retire(ID, "a", digest, "2026-01-01", "delete")
        assert tree(root) == {"a": b"newcomer"}
        assert vault.leftovers() == []

    def test_what_is_to_stay_is_put_back(self, root: Path, vault: Vault) -> None:
        put(root, f".edge/retiring/{ID}")
        vault.release(ID, "a/b")
        assert tree(root) == {"a/b": b"data"}

    def test_what_is_to_stay_is_not_touched(self, root: Path, vault: Vault) -> None:
        put(root, "a")
        vault.release(ID, "a")
        assert tree(root) == {"a": b"data"}
        assert not (root / ".edge").exists()

    def test_a_fifo_in_its_place_is_put_back(self, root: Path, vault: Vault) -> None:
        os.mkfifo(root / "a")
        assert not vault.retire(ID, "a", sha256(b"").hexdigest(), "2026-01-01", "delete")
        assert (root / "a").is_fifo()

    def test_a_link_in_its_place_is_put_back(self, root: Path, vault: Vault, tmp_path: Path) -> None:
        digest = put(tmp_path, "secret")
        (root / "a").symlink_to(tmp_path / "secret")
        assert not vault.retire(ID, "a", digest, "2026-01-01", "delete")
        assert (root / "a").is_symlink()

    @pytest.mark.parametrize("path", ["nothing", "no/folder"])
    def test_nothing_is_there(self, vault: Vault, path: str) -> None:
        assert not vault.retire(ID, path, sha256(b"").hexdigest(), "2026-01-01", "delete")

    def test_nothing_is_left_over_where_nothing_ever_was(self, vault: Vault) -> None:
        assert vault.leftovers() == []

    def test_a_share_that_is_away_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(ShareAwayError):
            Vault(Share(tmp_path / "away")).leftovers()


class TestMark:
    def test_a_share_keeps_its_own(self, share: Share) -> None:
        assert mark_of(share) is None
        ensure(share)
        mark = mark_of(share)
        ensure(share)
        assert mark == mark_of(share) is not None

    def test_a_folder_in_its_place_costs_no_descriptors(self, root: Path, share: Share) -> None:
        (root / ".edge/share.mark").mkdir(parents=True)
        before = [*Path("/proc/self/fd").iterdir()]
        assert mark_of(share) is None
        ensure(share)
        assert len([*Path("/proc/self/fd").iterdir()]) == len(before)
