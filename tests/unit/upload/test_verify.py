"""``edge-verify`` on a store that upload has filled, in which differences are then planted."""

import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from azure.storage.blob import ContainerClient
from click.testing import CliRunner, Result

from edge_common.messages import Event, HistoryMessage, Item, ItemHistory, KeptMessage
from edge_upload.history.courier import PATIENCE
from edge_upload.verify.cli import main
from edge_upload.verify.scratch import ScratchError, opened
from images.install import UNUSED
from support.azurite import Azurite
from support.upload import MODEL, STAMP, Bench, HurriedClock, item, kept, predicted, predictions, until_history
from support.web import free_port

LEDGER = "a" * 32
DONE = [item(name) for name in "abcd"]
BAD, WAITING = item("bad"), item("waiting")
ITEMS = [*DONE, BAD, WAITING]
LIVES = {
    **{one.id: ("seen", "sent", "done") for one in DONE},
    BAD.id: ("seen", "sent", "quarantined"),
    WAITING.id: ("seen", "sent"),
}
OLD = 1_700_000_000.0


def told(items: Sequence[Item], first: int = 1) -> HistoryMessage:
    """What ingest says of items, in events from a number on."""
    numbers = iter(range(first, 100))

    def history(one: Item) -> ItemHistory:
        about = {"code": "DECODE_FAILED", "stage": "transform", "reason": "No."}
        events = tuple(
            Event(number=next(numbers), event=event, attempt=1, at=OLD, **(about if event == "quarantined" else {}))
            for event in LIVES[one.id]
        )
        return ItemHistory(**one.model_dump(exclude={"attempt", "captured"}), events=events)

    return HistoryMessage(ledger=LEDGER, items=tuple(map(history, items)))


async def fill(root: Path, device: str = "edge 7") -> Path:
    bench = Bench(root, device)
    bench.clock = HurriedClock()
    bench.batch("b", np.ones((2 * len(DONE), 4), np.float32))
    done = [kept(bench.share, one) for one in DONE]
    async with bench.running(shardRows=2, features="all", originals="all") as hub:
        hub.deliver("history", told([*done, BAD, WAITING]).encode())
        hub.deliver("records", predictions(*[predicted(one, first=2 * n, rows=2) for n, one in enumerate(done)]))
        await bench.uploaded(DONE)
        await until_history(bench)
    for file in bench.cloud.rglob("*.*"):
        os.utime(file, (OLD, OLD))
    return bench.cloud


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(fill(tmp_path_factory.mktemp("filled")))


class Mount:
    """A store as the command is told of it; tests plant differences in a folder of its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, *arguments: str) -> Result:
        """Run the command on what the folder holds now."""
        return run("--store", str(self.folder), *arguments)


class Mirror(Mount):
    """A container with the folder's files. A blob's age cannot be chosen; ``--grace`` stands in for it."""

    def __init__(self, folder: Path, azurite: Azurite) -> None:
        super().__init__(folder)
        self._azurite = azurite

    def ask(self, *arguments: str) -> Result:
        container = self._azurite.make_container()
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        secret = self._azurite.connection_string()
        with ContainerClient.from_connection_string(secret, container) as client:
            for file in files:
                client.upload_blob(file.relative_to(self.folder).as_posix(), file.read_bytes())
        credentials = self.folder.with_name("credentials")
        credentials.write_text(self._azurite.sas(container, "rl"))
        grace = ["--grace", "0"] if all(file.stat().st_mtime == OLD for file in files) else []
        url = f"{self._azurite.endpoint}/{container}"
        return run("--store", url, *grace, *arguments, BLOB_CREDENTIALS=str(credentials))


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, arguments)


@pytest.fixture(params=["share", "container"])
def mount(request: pytest.FixtureRequest, filled: Path, tmp_path: Path) -> Mount:
    folder = Path(shutil.copytree(filled, tmp_path / "store"))
    return Mount(folder) if request.param == "share" else Mirror(folder, request.getfixturevalue("azurite_server"))


@pytest.fixture
def store(mount: Mount) -> Path:
    return mount.folder


def verify(mount: Mount, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The status, and what was found."""
    result = mount.ask("--json", *arguments)
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert lines[-1]["clean"] == (result.exit_code == 0)
    return result.exit_code, [line for line in lines if line["type"] == "finding"]


def differences(mount: Mount, *arguments: str) -> set[tuple[str, str]]:
    """Kind of each difference, and its file's name."""
    status, found = verify(mount, *arguments)
    found = [one for one in found if one["kind"] not in {"pending", "quarantined"}]
    real = {(one["kind"], one["about"].rpartition("/")[2]) for one in found}
    assert status == bool(real)
    return real


def shards(store: Path, kind: str = "records") -> list[Path]:
    return sorted(store.glob(f"{kind}/**/*.parquet"))


def rewrite(file: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.ParquetFile(file).read()), file)


@pytest.mark.parametrize("arguments", [[], ["--deep"]])
def test_a_store_that_is_as_the_ledger_says_is_clean(mount: Mount, store: Path, arguments: list[str]) -> None:
    status, found = verify(mount, *arguments)
    assert status == 0
    assert {(one["kind"], one["about"]) for one in found} == {("pending", WAITING.path), ("quarantined", BAD.path)}
    assert "DECODE_FAILED: No." in [one["detail"] for one in found]
    assert len(shards(store)) > 1


def test_it_says_so_to_people(mount: Mount) -> None:
    result = mount.ask()
    assert result.exit_code == 0
    assert "edge 7  2026-01-01      6     4" in result.output
    assert result.output.endswith("The store holds what the ledger says.\n")


@pytest.mark.parametrize("kind", ["records", "features"])
def test_a_deleted_shard_is_missing(mount: Mount, store: Path, kind: str) -> None:
    gone = shards(store, kind)[0]
    gone.unlink()
    assert differences(mount) == {("missing", gone.name)}


def test_a_deleted_original_is_missing(mount: Mount, store: Path) -> None:
    gone = next(store.glob("raw/*/*/*"))
    gone.unlink()
    assert differences(mount) == {("missing", gone.name)}


def test_an_original_of_other_bytes_is_found_by_looking_deep(mount: Mount, store: Path) -> None:
    file = next(store.glob("raw/*/*/*"))
    file.write_bytes(b"?" * file.stat().st_size)
    assert differences(mount) == set()
    assert differences(mount, "--deep") == {("differing", file.name)}


def test_a_truncated_shard_differs(mount: Mount, store: Path) -> None:
    file = shards(store)[0]
    os.truncate(file, file.stat().st_size - 1)
    assert differences(mount) == {("differing", file.name)}


def test_a_flipped_byte_is_found_by_looking_deep(mount: Mount, store: Path) -> None:
    file = shards(store)[0]
    data = bytearray(file.read_bytes())
    data[10] ^= 1
    file.write_bytes(data)
    assert differences(mount) == set()
    assert ("differing", file.name) in differences(mount, "--deep")


def test_an_extra_file_is_extra_once_it_is_old_enough_to_be_in_the_ledger(mount: Mount, store: Path) -> None:
    extra = shards(store)[0].with_name(f"{'0' * 64}.parquet")
    extra.write_bytes(b"?")
    assert differences(mount) == set()
    assert ("pending", f"records/device=edge%207/date=2026-01-01/{extra.name}") in {
        (one["kind"], one["about"]) for one in verify(mount)[1]
    }
    os.utime(extra, (OLD, OLD))
    assert differences(mount) == {("extra", extra.name)}


def test_an_original_that_was_given_up_after_it_was_put_is_not_extra_if_it_is_its_item_s(
    mount: Mount, store: Path
) -> None:
    file = next(store.glob("raw/*/*/*"))
    name = file.relative_to(store).as_posix()

    def give_up(table: pa.Table) -> pa.Table:
        said = zip(table["object"].to_pylist(), table["event"].to_pylist(), strict=True)
        events = pa.array(["dropped" if held == name else event for held, event in said])
        return table.set_column(table.schema.get_field_index("event"), "event", events)

    for ledger in shards(store, "_ledger"):
        rewrite(ledger, give_up)
        os.utime(ledger, (OLD, OLD))
    assert ("extra", file.name) not in differences(mount)
    file.write_bytes(b"torn")
    os.utime(file, (OLD, OLD))
    assert ("extra", file.name) in differences(mount)


def test_a_file_of_another_name_is_extra_at_once(mount: Mount, store: Path) -> None:
    extra = shards(store)[0].with_name("über.txt")
    extra.write_text("?")
    assert differences(mount) == {("extra", extra.name)}
    assert ("extra", extra.name) in differences(mount, "--deep")


def test_a_renamed_shard_is_missing_and_extra_and_deep_tells_which_it_is(mount: Mount, store: Path) -> None:
    file = shards(store)[0]
    other = file.rename(file.with_name(f"{'0' * 64}.parquet"))
    assert differences(mount) == {("missing", file.name), ("extra", other.name)}
    _, found = verify(mount, "--deep")
    assert any(one["kind"] == "missing" and other.name in one["detail"] for one in found)


@pytest.mark.parametrize("kind", ["records", "features"])
def test_rows_that_lack_in_a_shard_are_missing(mount: Mount, store: Path, kind: str) -> None:
    file = shards(store, kind)[0]
    rewrite(file, lambda table: table.slice(1))
    assert {kind for kind, _ in differences(mount, "--deep")} == {"missing", "differing"}


def test_rows_that_a_shard_has_twice_are_extra(mount: Mount, store: Path) -> None:
    file = shards(store)[0]
    rewrite(file, lambda table: pa.concat_tables([table.slice(0, 1), table]))
    assert {kind for kind, _ in differences(mount, "--deep")} == {"extra", "differing"}


def test_a_missing_part_of_the_history_is_a_gap(mount: Mount, store: Path) -> None:
    for file in shards(store, "_ledger"):
        rewrite(file, lambda table: table.filter((pc.field("number") != 2) | (pc.field("source") != LEDGER)))
    assert ("gap", f"history {LEDGER}") in differences(mount)


def test_a_deleted_ledger_shard_is_noticed(mount: Mount, store: Path, tmp_path: Path) -> None:
    for file in shards(store, "_ledger"):
        away = file.rename(tmp_path / "away")
        assert differences(mount), file
        away.rename(file)


def test_a_torn_ledger_shard_differs_and_hides_no_other(mount: Mount, store: Path) -> None:
    file = shards(store, "_ledger")[0]
    file.write_bytes(b"PAR1")
    assert ("differing", file.name) in differences(mount)


def test_events_that_are_stored_twice_count_once(mount: Mount, store: Path) -> None:
    rewrite(shards(store, "_ledger")[0], lambda table: pa.concat_tables([table, table]))
    assert {kind for kind, _ in differences(mount)} == {"differing"}


def test_devices_are_told_apart(mount: Mount, store: Path, tmp_path: Path) -> None:
    other = asyncio.run(fill(tmp_path / "other", "edge-8"))
    shutil.copytree(other, store, dirs_exist_ok=True)
    assert differences(mount) == set()
    strayed = shards(store)[0]
    copy = shutil.copy2(strayed, store / "records/device=edge-8/date=2026-01-01/")
    assert differences(mount) == set() if Path(copy).name == shards(other)[0].name else {("extra", strayed.name)}
    shards(store)[0].unlink()
    assert {kind for kind, _ in differences(mount, "--device", "edge 7")} == {"missing"}
    assert {kind for kind, _ in differences(mount, "--device", "edge-8")} <= {"extra"}


def test_a_file_is_traced_by_path_and_by_id(mount: Mount, store: Path) -> None:
    for what in (DONE[0].path, DONE[0].id):
        result = mount.ask("--json", "trace", what)
        assert result.exit_code == 0
        traced = json.loads(result.output)
        said = [event["event"] for event in traced["events"]]
        assert said == ["seen", "sent", "done", "accepted", "stored", "stored", "stored"]
        held = next(event for event in traced["events"] if event.get("object", "").startswith("records/"))
        assert (held["model_digest"], held["contract_stamp"], held["there"]) == (MODEL.digest, STAMP, True)
        assert (store / held["object"]).stem == held["object_sha256"]
    people = mount.ask("trace", BAD.path)
    assert "quarantined  ingest: attempt 1, code DECODE_FAILED, by transform" in people.output


async def fill_later(root: Path, again: Item) -> Path:
    """A store with a later life of one item of the same device."""
    bench = Bench(root, "edge 7")
    bench.clock = HurriedClock()
    bench.batch("b", np.ones((2, 4), np.float32))
    again = kept(bench.share, again)
    async with bench.running(shardRows=2, features="all", originals="all") as hub:
        hub.deliver("history", told([again], sum(map(len, LIVES.values())) + 1).encode())
        hub.deliver("records", predictions(predicted(again, rows=2)))
        await bench.uploaded([again])
        await until_history(bench)
    return bench.cloud


def test_what_a_device_forgot_and_was_sent_again_is_told_of_both_days(
    store: Path, mount: Mount, tmp_path: Path
) -> None:
    again = item("a", day=date(2026, 2, 1))
    shutil.copytree(asyncio.run(fill_later(tmp_path / "later", again)), store, dirs_exist_ok=True)
    assert differences(mount, "--deep") == set()
    traced = [json.loads(line) for line in mount.ask("--json", "trace", again.path).output.splitlines()]
    assert sorted(life["date"] for life in traced) == ["2026-01-01", "2026-02-01"]
    for life in traced:
        assert [event["event"] for event in life["events"]].count("done") == 1
        assert all(event["there"] for event in life["events"] if event["event"] == "stored")


IN_AN_IMAGE = """
import sys
from fnmatch import fnmatch

class LeftOut:
    def find_spec(self, name, path=None, target=None):
        if any(fnmatch(name.replace(".", "/"), pattern) for pattern in left_out):
            raise ModuleNotFoundError(name)

store, path, *left_out = sys.argv[1:]
sys.meta_path.insert(0, LeftOut())
from edge_upload.verify.cli import main
main(["--store", store, "trace", path])
"""


def test_a_file_is_traced_with_what_is_in_the_image(filled: Path) -> None:
    left_out = [pattern for pattern in UNUSED if pattern.startswith("pyarrow/_")]
    command = [sys.executable, "-c", IN_AN_IMAGE, str(filled), BAD.path, *left_out]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "DECODE_FAILED" in ended.stdout


def test_what_the_ledger_does_not_know_cannot_be_traced(mount: Mount) -> None:
    result = mount.ask("trace", "nothing.png")
    assert (result.exit_code, "does not know 'nothing.png'" in result.output) == (1, True)


def test_a_store_without_a_ledger_cannot_be_judged(tmp_path: Path) -> None:
    for arguments in (["--store", str(tmp_path)], ["--store", str(tmp_path / "nowhere")], []):
        assert run(*arguments).exit_code == 2


async def test_what_ingest_is_told_is_kept_is_kept(tmp_path: Path) -> None:
    """Whatever becomes of the process after that; and sent again, it is stored once."""
    bench = Bench(tmp_path)
    async with bench.running(shardSeconds=3600) as hub:
        hub.deliver("history", told(ITEMS).encode())
        kept = KeptMessage.decode((await hub.sent_to("kept"))[0].body)
        assert (kept.ledger, kept.numbers) == (LEDGER, tuple(range(1, 18)))
    bench.clock = HurriedClock()
    async with bench.running(shardSeconds=0.01) as hub:
        hub.deliver("history", told(ITEMS).encode())
        await hub.sent_to("kept")
        await until_history(bench)
    rows = [row for file in shards(bench.cloud, "_ledger") for row in pq.ParquetFile(file).read().to_pylist()]
    assert {row["number"] for row in rows} == set(range(1, 18))
    assert PATIENCE > 1


def command(*arguments: str, scratch: Path) -> subprocess.Popen[str]:
    """The command as a process, with its scratch files in a folder."""
    program = Path(sys.executable).with_name("edge-verify")
    environment = {"TMPDIR": str(scratch), "BLOB_CREDENTIALS": str(scratch.with_name("credentials"))}
    return subprocess.Popen([program, *arguments], env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_of_one_that_is_ended(tmp_path: Path, how: signal.Signals) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (tmp_path / "credentials").write_text("?sig=c2VjcmV0&sp=rl")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = f"http://127.0.0.1:{silent.getsockname()[1]}/account/container"
        with command("--store", store, scratch=scratch) as process:
            asked, _ = silent.accept()
            process.send_signal(how)
        asked.close()
    assert process.returncode == -how
    assert list(scratch.iterdir()) == []


def test_scratch_files_that_find_no_room_are_no_difference(store: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with command("--store", str(store), scratch=scratch) as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        _, said = process.communicate()
    assert process.returncode == 2
    assert "TMPDIR" in said


def test_a_scratch_database_that_finds_no_room_says_so() -> None:
    with pytest.raises(ScratchError, match="TMPDIR"), opened() as db:
        db.execute("PRAGMA max_page_count = 30")
        db.executemany("INSERT INTO finding (detail) VALUES (?)", (["?" * 1000] for _ in range(200)))


def test_a_container_that_does_not_let_itself_be_read_cannot_be_judged(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("?sig=c2VjcmV0&sp=rl")
    address = f"http://127.0.0.1:{free_port()}/account/container"
    for url, secret in (
        (address, credentials),
        (address, tmp_path / "nowhere"),
        (f"{address}?sig=secret", credentials),
    ):
        result = run("--store", url, BLOB_CREDENTIALS=str(secret))
        assert result.exit_code == 2
        assert "sig=" not in result.output
