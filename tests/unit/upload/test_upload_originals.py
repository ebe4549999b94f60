"""Files on their way from the share to the store."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from edge_common.clock import SystemClock
from edge_common.errors import ItemError
from edge_common.messages import Item, ReceiptStatus
from edge_upload.carrier import AGAIN_S, LOST_S
from edge_upload.originals import copy_original, name_of
from edge_upload.sinks import SinkConflictError, SinkUnavailableError
from support.upload import (
    Bench,
    HurriedClock,
    StoppedClock,
    far_window,
    hints,
    item,
    kept,
    predicted,
    predictions,
    raw,
    stored,
    table,
    until_history,
)
from unit.upload.test_upload_courier import TroubledSink

TRIES = 8
LOOKS = int(LOST_S / AGAIN_S) + 2
CLOSED = ["thu 14:00-14:30"]
"""Two hours after the clock's start."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.clock = HurriedClock()
    return bench


def content(bench: Bench, *items: Item) -> dict[str, bytes]:
    return {one.id: (bench.share / one.path).read_bytes() for one in items}


async def until_shards(bench: Bench, count: int) -> None:
    while (bench.counted("edge_upload_shard_seconds_count") or 0) < count:
        await bench.clock.sleep(0.1)


async def test_an_item_is_uploaded_once_its_file_is_stored_as_it_was(bench: Bench) -> None:
    items = [kept(bench.share, item(str(number))) for number in range(20)]
    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(*map(predicted, items)))
        await bench.uploaded(items)
        assert raw(bench.cloud) == content(bench, *items)
        assert bench.counted("edge_upload_originals_total") == 20
    assert len(stored(bench.cloud)) == 20
    assert list((bench.state / "originals").iterdir()) == []


async def test_nothing_is_said_before_the_file_is_stored(bench: Bench) -> None:
    clock = bench.clock = StoppedClock()
    one = kept(bench.share, item("one"))
    async with bench.running(originals="all", uploadWindows=CLOSED) as hub:
        hub.deliver("records", predictions(predicted(one)))
        await hub.until_reported("spool.samples.originals", 1)
        await until_shards(bench, 1)
        assert raw(bench.cloud) == {}
        assert await bench.receipts(ReceiptStatus.UPLOADED, 0) == []
        clock.wall += timedelta(hours=2)
        await bench.uploaded([one])
    assert raw(bench.cloud) == content(bench, one)


async def test_features_wait_for_their_window_and_predictions_do_not(bench: Bench) -> None:
    clock = bench.clock = StoppedClock()
    bench.batch("b", np.ones((1, 4), np.float32))
    async with bench.running(features="all", uploadWindows=CLOSED) as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        await until_shards(bench, 1)
        await hub.until_reported("spool.samples.features", 1)
        assert not (bench.cloud / "features").exists()
        clock.wall += timedelta(hours=2)
        await bench.uploaded([item("one")])
    assert len(stored(bench.cloud / "features")) == 1


async def test_only_what_the_policy_wants_goes_up_and_the_rest_is_uploaded_without(bench: Bench) -> None:
    wanted, other = kept(bench.share, item("wanted")), kept(bench.share, item("other"))
    settings = {"originals": "sampled", "sampleFraction": 0, "sampleClasses": ["in/wanted.png/0"]}
    async with bench.running(**settings) as hub:
        hub.deliver("records", predictions(predicted(wanted), predicted(other)))
        await bench.uploaded([wanted, other])
        assert bench.counted("edge_upload_sampled_items_total", why="class") == 1
    assert raw(bench.cloud).keys() == {wanted.id}
    assert {row["id"]: row["sampled"] for row in stored(bench.cloud)} == {wanted.id: ["class"], other.id: []}


async def test_a_changed_file_is_never_stored_and_given_up_in_the_end(bench: Bench) -> None:
    one, two = kept(bench.share, item("one")), kept(bench.share, item("two"))
    (bench.share / one.path).write_bytes(b"x" * one.size)
    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(predicted(one), predicted(two)))
        await bench.uploaded([one, two])
        assert bench.counted("edge_upload_given_up_samples_total", cargo="original", why="changed") == 1
        await hub.until_reported("spool.samples.givenUp", 1)
    assert bench.clock.monotonic() >= LOST_S
    assert raw(bench.cloud).keys() == {two.id}


async def test_a_share_that_is_away_is_waited_for(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    one = kept(bench.share, item("one"))
    away = bench.share.rename(bench.share.with_name("away"))
    bench.share.mkdir()
    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(predicted(one)))
        while caplog.text.count("it is tried again") < LOOKS and "given up" not in caplog.text:
            await bench.clock.sleep(1)
        assert await bench.receipts(ReceiptStatus.UPLOADED, 0) == []
        bench.share.rmdir()
        away.rename(bench.share)
        await bench.uploaded([one])
    assert raw(bench.cloud).keys() == {one.id}


async def test_the_time_that_a_share_was_away_is_not_held_against_what_it_comes_back_without(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    one = kept(bench.share, item("one"))
    away = bench.share.rename(bench.share.with_name("away"))
    bench.share.mkdir()

    async def until_looks(count: int) -> None:
        while caplog.text.count("it is tried again") < count and "given up" not in caplog.text:
            await bench.clock.sleep(1)

    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(predicted(one)))
        await until_looks(LOOKS)
        (bench.share / "first").touch()
        await until_looks(LOOKS + 1)
        assert "given up" not in caplog.text
        away.joinpath("in").rename(bench.share / "in")
        await bench.uploaded([one])
    assert raw(bench.cloud).keys() == {one.id}


async def test_a_store_in_trouble_is_tried_again(bench: Bench) -> None:
    clock = bench.clock = StoppedClock()
    one = kept(bench.share, item("one"))
    trouble = [SinkUnavailableError("away")] * TRIES + [SinkConflictError("occupied")]
    sink = bench.sink = TroubledSink(bench.sink)
    async with bench.running(originals="all", uploadWindows=CLOSED) as hub:
        hub.deliver("records", predictions(predicted(one)))
        await until_shards(bench, 1)
        sink.failures += trouble
        clock.wall += timedelta(hours=2)
        await bench.uploaded([one])
    assert raw(bench.cloud) == content(bench, one)


async def test_an_original_that_does_not_fit_the_disk_waits_and_the_others_go(bench: Bench) -> None:
    huge, small = kept(bench.share, item("huge")), kept(bench.share, item("small"))
    huge = huge.model_copy(update={"size": 1 << 50})
    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(predicted(huge), predicted(small)))
        await bench.uploaded([small])
        while "no room" not in (hub.reported.get("spool", {}).get("errors", {}).get("originals") or ""):
            await bench.clock.sleep(1)
    assert raw(bench.cloud).keys() == {small.id}


async def test_without_a_share_none_are_chosen_and_that_is_said(bench: Bench) -> None:
    bench.share_dir = None
    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        await bench.uploaded([item("one")])
        while "SHARE_DIR" not in (hub.reported.get("spool", {}).get("errors", {}).get("originals") or ""):
            await bench.clock.sleep(1)
    assert raw(bench.cloud) == {}


async def test_what_was_chosen_before_a_restart_goes_up_after_it(bench: Bench) -> None:
    bench.clock = SystemClock()
    one = kept(bench.share, item("one"))
    async with bench.running(originals="all", uploadWindows=[far_window()], shardSeconds=3600) as hub:
        hub.deliver("records", predictions(predicted(one)))
        await bench.receipts(ReceiptStatus.ACCEPTED)
    (bench.state / "originals" / "torn").write_bytes(b"half")
    async with bench.running():
        await bench.uploaded([one])
    assert raw(bench.cloud) == content(bench, one)


async def test_what_was_stored_just_before_a_kill_is_not_stored_again(bench: Bench) -> None:
    one = kept(bench.share, item("one"))
    there = bench.cloud / name_of("edge 7", one)
    there.parent.mkdir(parents=True)
    there.write_bytes((bench.share / one.path).read_bytes())
    before = there.stat().st_mtime_ns
    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(predicted(one)))
        await bench.uploaded([one])
    assert there.stat().st_mtime_ns == before


async def test_what_was_stored_just_before_a_kill_is_not_given_up_when_its_file_is_gone(bench: Bench) -> None:
    one, other = kept(bench.share, item("one")), kept(bench.share, item("other"))
    there = bench.cloud / name_of("edge 7", one)
    there.parent.mkdir(parents=True)
    (bench.share / one.path).rename(there)
    async with bench.running(originals="all") as hub:
        hub.deliver("records", predictions(predicted(one), predicted(other)))
        await bench.uploaded([one, other])
        assert bench.counted("edge_upload_originals_total") == 2
        assert bench.counted("edge_upload_given_up_samples_total", cargo="original", why="gone") is None
        await until_history(bench)
    events = [event for shard in bench.cloud.glob("_ledger/**/*.parquet") for event in table(shard).to_pylist()]
    assert (one.id, name_of("edge 7", one)) in {(event["id"], event["object"]) for event in events}


async def test_a_hint_comes_after_its_predictions_even_in_one_breath(bench: Bench) -> None:
    one, late = kept(bench.share, item("one")), kept(bench.share, item("late"))
    settings = {"originals": "sampled", "sampleFraction": 0}
    async with bench.running(**settings) as hub:
        hub.deliver("records", predictions(predicted(late)))
        await bench.uploaded([late])
        hub.deliver("records", predictions(predicted(one)))
        hub.deliver("hints", hints(one, late, item("never")))
        await bench.uploaded([one])
        assert bench.counted("edge_upload_late_hints_total") == 2
    assert raw(bench.cloud).keys() == {one.id}


@pytest.mark.parametrize(
    ("path", "end"),
    [("a/b.PNG", ".PNG"), ("a/b", ""), ("b.tar.gz", ".gz"), ("b.a b", ""), ("b.ä", ""), (".hidden", ""), ("b.", "")],
)
def test_names_keep_the_ending_where_every_store_can_hold_it(path: str, end: str) -> None:
    one = item("one").model_copy(update={"path": path})
    assert name_of("edge 7", one) == f"raw/device=edge%207/date=2026-01-01/{one.id}{end}"


def test_a_link_that_leads_out_of_the_share_is_not_followed(tmp_path: Path) -> None:
    share = tmp_path / "share"
    one = kept(share, item("one"))
    secret = (share / one.path).rename(tmp_path / "secret")
    (share / one.path).symlink_to(secret)
    with pytest.raises(ItemError, match="leads elsewhere"):
        copy_original(share, one, tmp_path / "copy")
