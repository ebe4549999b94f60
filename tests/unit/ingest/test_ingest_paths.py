"""Names: ids, globs, texts, and what is refused for its looks."""

import os
import re
import stat
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcmatch import glob

from edge_common.mounts import file_system_type, is_remote, lies_on_remote, type_of_mount
from edge_ingest.globs import FLAGS, Kinds, PathFilter
from edge_ingest.identity import item_id
from edge_ingest.settings import IngestSettings
from edge_ingest.sight import Sight, path_text, refusal_of, text_path

MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:26 / /mnt/share\\040one rw,relatime shared:5 - cifs //nas/one rw
31 22 0:27 / /mnt/nfs rw,relatime - nfs4 nas:/two rw
32 31 0:28 / /mnt/nfs/cache rw - tmpfs tmpfs rw
33 22 0:29 / /mnt/remote rw,nosuid master:9 - fuse.rclone remote: rw
"""


def test_an_id_is_what_the_documentation_says() -> None:
    content = sha256(b"content").hexdigest()
    assert item_id("a/ü.png", content, 2) == sha256(f"a/ü.png\0{content}\x002".encode()).hexdigest()[:32]


def test_path_content_and_generation_each_make_another_item() -> None:
    ids = {item_id("a", "0" * 64), item_id("b", "0" * 64), item_id("a", "1" * 64), item_id("a", "0" * 64, 1)}
    assert len(ids) == 4


@pytest.mark.parametrize(
    "path",
    ["a.png", "a/b/c.png", "A.PNG", "with space.png", "new\nline.png", "שלום.png", "x" * 255, "tmp/a.png", "a.tmp.png"],
)
def test_taken_by_default(path: str) -> None:
    settings = IngestSettings()
    assert path in PathFilter(settings.include, settings.exclude)


@pytest.mark.parametrize(
    "path",
    ["a.tmp", "a/b.part", "B.PART", "~$a.docx", "a/.hidden", ".git/config", "a/.cache/b.png", "Thumbs.db", "a/x.swp"],
)
def test_left_alone_by_default(path: str) -> None:
    settings = IngestSettings()
    assert path not in PathFilter(settings.include, settings.exclude)


def test_a_kind_is_the_first_by_name_whose_globs_fit() -> None:
    kinds = Kinds({"tables": ["**/*.{csv,parquet}"], "pictures": ["camera-*/**", "**/*.png"]})
    paths = ("site/A.CSV", "top.png", "camera-1/index.csv", "notes.txt")
    assert [kinds[path] for path in paths] == ["tables", "pictures", "pictures", "items"]
    assert Kinds({})["a.png"] == "items"


def test_globs_name_folders_and_kinds() -> None:
    wanted = PathFilter(["camera-*/**/*.{png,jpg}", "top.csv"], ["**/old/**"])
    assert "camera-1/a.png" in wanted
    assert "camera-1/x/y/a.JPG" in wanted
    assert "top.csv" in wanted
    assert "sub/top.csv" not in wanted
    assert "camera-1/old/a.png" not in wanted
    assert "camera-1/a.gif" not in wanted


@pytest.mark.parametrize(
    "pattern",
    [
        "**",
        "**/*",
        "**/",
        "*",
        "***/a",
        "**/a/*",
        "**/{a,b/A.tmp}",
        "**/*.{tmp,swp}",
        "**/[!a]*",
        "**/~*",
        "**/.*",
        "a/**",
    ],
)
def test_a_glob_that_tells_a_name_takes_what_it_takes_of_whole_paths(pattern: str) -> None:
    names = ("a", "A.tmp", ".b", "~c", "b", "n\nl.tmp", "x.tmp\n", "...", "\udcff.swp")
    paths = ["/".join(parts) for length in (1, 2, 3) for parts in product(names, repeat=length)]
    expressions = [re.compile(expression) for expression in glob.translate(pattern, flags=FLAGS)[0]]
    taken = [path for path in paths if any(each.fullmatch(path) for each in expressions)]
    assert [path for path in paths if path in PathFilter([pattern], [])] == taken


def test_no_globs_take_nothing() -> None:
    assert "a" not in PathFilter([], [])


def sight(path: str = "a", mode: int = stat.S_IFREG, size: int = 1) -> Sight:
    return Sight(path, mode, size, 0, path_text(path))


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (sight(mode=stat.S_IFLNK), "SYMLINK"),
        (sight(size=101), "TOO_LARGE"),
        (sight(size=0), "EMPTY"),
        (sight(path="caf\udce9"), "BAD_NAME"),
    ],
)
def test_refused_for_its_looks(seen: Sight, code: str) -> None:
    refusal = refusal_of(seen, max_bytes=100)
    assert refusal is not None
    assert refusal.code == code


@pytest.mark.parametrize("mode", [stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK])
def test_what_is_neither_a_file_nor_a_link_is_special(mode: int) -> None:
    assert sight(mode=mode).special
    assert not sight().special
    assert not sight(mode=stat.S_IFLNK).special


def test_a_file_of_the_largest_size_is_fine() -> None:
    assert refusal_of(sight(size=100), max_bytes=100) is None


def test_a_name_that_is_no_text_becomes_one() -> None:
    assert path_text(os.fsdecode(b"caf\xe9\\.png")) == "caf\\xe9\\\\.png"
    assert path_text("straight\\forward") == "straight\\forward"


@given(st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_and_back_again(name: bytes) -> None:
    path = os.fsdecode(name)
    text = path_text(path)
    text.encode()
    assert text == path or text_path(text) == path


@pytest.mark.parametrize(
    ("mount", "kind"),
    [("22", "ext4"), ("30", "cifs"), ("31", "nfs4"), ("32", "tmpfs"), ("33", "fuse.rclone"), ("2", "")],
)
def test_a_mount_says_what_it_is(mount: str, kind: str) -> None:
    assert type_of_mount(mount, MOUNTINFO) == kind


def test_the_system_says_what_a_folder_lies_on() -> None:
    assert file_system_type(Path("/proc/self")) == "proc"


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse", "fuse.sshfs", "virtiofs"])
def test_inotify_misses_remote_writes(kind: str) -> None:
    assert is_remote(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuseblk", ""])
def test_inotify_sees_local_writes(kind: str) -> None:
    assert not is_remote(kind)


def test_the_real_mounts_can_be_read(tmp_path: Path) -> None:
    assert not lies_on_remote(tmp_path)
