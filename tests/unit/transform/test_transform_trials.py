"""What is prepared on trial, beside the live flow."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from corpus import CASES
from edge_common.contract import Input, PictureInput
from edge_common.messages import Frame, Item, LiveShare, OneFile, TrialBatchMessage, TrialMessage
from edge_common.tensors import HEADER_BYTES, TensorReader
from edge_transform.errors import DecoderStuckError
from edge_transform.post import MOST_ROWS
from edge_transform.prepare import prepare, prepare_into, prepare_rows
from edge_transform.room import Room
from edge_transform.rows import Row
from edge_transform.trials import STAY_S
from edge_transform.workshop import Decoding
from support import tables
from unit.transform.pictures import COLOUR, LUMA, drop, png
from unit.transform.rig import Rig, running

ONE_COLOUR_ROW = 4 * 3 * 16 * 12
TABLE = tables.contract().input
[PAGES] = [case.build for case in CASES if case.name == "pictures/pages.tiff"]


def ask(rig: Rig, source: OneFile | LiveShare, trial: str = "t1", wanted: Input = COLOUR) -> None:
    message = TrialMessage(trial=trial, input=wanted, seconds=30, source=source)
    rig.hub.deliver("trials", message.encode())


async def answers(rig: Rig, count: int = 1) -> Sequence[TrialBatchMessage]:
    return [TrialBatchMessage.decode(sent.body) for sent in await rig.hub.sent_to("trials", count)]


async def live(rig: Rig, *items: Item) -> None:
    """Send items and wait until they are prepared under the contract in force."""
    before = len([sent for sent in rig.hub.sent if sent.output == "tensors"])
    rig.send(*items)
    await rig.batches(before + 1)


async def test_one_file_is_prepared_under_the_contract_that_comes_with_it(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        ask(rig, OneFile(content=png(1)))
        [answer] = await answers(rig)
        assert (answer.trial, answer.parts, answer.refusal) == ("t1", (), None)
        rows = TensorReader(rig.store).read(answer.batch or "")
        np.testing.assert_array_equal(rows, prepare(png(1), COLOUR)[np.newaxis])
        assert not [sent for sent in rig.hub.sent if sent.output in {"tensors", "rejects"}]


@pytest.mark.parametrize(("content", "code"), [(b"just text", "UNSUPPORTED"), (b"", "EMPTY"), (png()[:90], "DECODE")])
async def test_one_file_that_is_no_picture_is_refused_in_words(tmp_path: Path, content: bytes, code: str) -> None:
    async with running(tmp_path) as rig:
        ask(rig, OneFile(content=content))
        [answer] = await answers(rig)
        assert answer.batch is None
        assert (answer.refusal or "").startswith(code)


async def test_a_share_of_the_live_items_is_prepared_a_second_time(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        ask(rig, LiveShare(share=0.5))
        for number in range(8):
            await live(rig, drop(rig.share, png(number), f"{number}.png"))
        items = [part.item for batch in await rig.batches(8) for part in batch.parts]
        wanted = [item for item in items if int(item.id[0], 16) < 8]
        assert 0 < len(wanted) < 8
        tried = await answers(rig, len(wanted))
        assert [part.item for answer in tried for part in answer.parts] == wanted
        rows = TensorReader(rig.store).read(tried[0].batch or "")
        content = (rig.share / wanted[0].path).read_bytes()
        np.testing.assert_array_equal(rows, prepare(content, COLOUR)[np.newaxis])


async def test_a_trial_on_live_items_ends_and_its_batches_leave_by_themselves(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        ask(rig, LiveShare(share=1))
        await live(rig, drop(rig.share, png(1), "1.png"))
        [answer] = await answers(rig)
        assert answer.batch in rig.stored()
        await rig.clock.advance(STAY_S + 1)
        while answer.batch in rig.stored():
            await rig.clock.advance(1)
        await live(rig, drop(rig.share, png(2), "2.png"))
        ask(rig, OneFile(content=png()), trial="t2")
        assert [each.trial for each in await answers(rig, 2)] == ["t1", "t2"]


async def test_what_was_rejected_is_not_tried(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        ask(rig, LiveShare(share=1))
        good = drop(rig.share, png(1), "good.png")
        rig.send(drop(rig.share, b"just text", "bad.png"), good)
        assert [[part.item for part in answer.parts] for answer in await answers(rig)] == [[good]]


async def test_trials_leave_half_of_the_store_to_the_others(tmp_path: Path) -> None:
    async with running(tmp_path, storeBudgetBytes=2 * (ONE_COLOUR_ROW + HEADER_BYTES) - 1) as rig:
        rig.announce()
        ask(rig, OneFile(content=png()))
        assert [(answer.refusal or "")[:8] for answer in await answers(rig)] == ["NO_ROOM:"]
        ask(rig, LiveShare(share=1))
        await live(rig, drop(rig.share, png()))
        ask(rig, OneFile(content=png()), wanted=LUMA)
        assert [answer.batch is None for answer in await answers(rig, 2)] == [True, False]


async def test_of_many_files_at_once_some_are_refused_and_none_waits_for_ever(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        for number in range(20):
            ask(rig, OneFile(content=png()), trial=f"t{number}")
        given = await answers(rig, 20)
        assert {answer.trial for answer in given} == {f"t{number}" for number in range(20)}
        assert any((answer.refusal or "").startswith("BUSY") for answer in given)
        assert any(answer.batch for answer in given)


@pytest.mark.parametrize("rows", [1, MOST_ROWS, MOST_ROWS + 1, 1000])
async def test_the_first_samples_of_a_table_are_prepared(tmp_path: Path, rows: int) -> None:
    async with running(tmp_path) as rig:
        content = tables.csv(tables.loads(rows))
        ask(rig, OneFile(content=content), wanted=TABLE)
        [answer] = await answers(rig)
        found = TensorReader(rig.store).read(answer.batch or "")
        np.testing.assert_array_equal(found, prepare_rows(content, TABLE)[:MOST_ROWS])
        assert (answer.more, answer.frames) == (rows > MOST_ROWS, ())


async def test_every_page_of_a_file_is_prepared_with_its_frame(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        content = PAGES()
        ask(rig, OneFile(content=content))
        [answer] = await answers(rig)
        found = TensorReader(rig.store).read(answer.batch or "")
        np.testing.assert_array_equal(found, prepare_rows(content, COLOUR))
        assert (len(found), len(answer.frames), answer.more) == (3, 3, False)


async def test_a_file_that_breaks_behind_its_first_samples_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        ask(rig, OneFile(content=tables.csv(tables.loads(MOST_ROWS)) + b"1,2\n"), wanted=TABLE)
        [answer] = await answers(rig)
        assert (answer.refusal or "").startswith("DECODE_FAILED")


@pytest.mark.parametrize("rows", [10, 300])
async def test_the_beginning_of_live_tables_is_prepared_a_second_time(tmp_path: Path, rows: int) -> None:
    content = tables.csv(tables.loads(rows))
    other = tables.contract(batch=7).input
    async with running(tmp_path) as rig:
        rig.announce(TABLE)
        ask(rig, LiveShare(share=1), wanted=other)
        item = drop(rig.share, content, "loads.csv")
        await live(rig, item)
        [answer] = await answers(rig)
        [part] = answer.parts
        assert (part.item, part.part, part.rows) == (item, 0, min(rows, MOST_ROWS))
        found = TensorReader(rig.store).read(answer.batch or "")
        np.testing.assert_array_equal(found, prepare_rows(content, other)[:MOST_ROWS])


async def test_the_beginning_of_live_pages_is_prepared_a_second_time(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        ask(rig, LiveShare(share=1))
        item = drop(rig.share, PAGES(), "scan.tiff")
        await live(rig, item)
        [answer] = await answers(rig)
        assert [(part.item, part.part, len(part.frames)) for part in answer.parts] == [(item, n, 1) for n in range(3)]


async def test_a_candidate_for_other_files_gets_none(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce()
        ask(rig, LiveShare(share=1), wanted=TABLE)
        await live(rig, drop(rig.share, png(), "a.png"))
        ask(rig, OneFile(content=png()), trial="t2")
        assert [answer.trial for answer in await answers(rig)] == ["t2"]


async def test_a_trial_that_does_not_end_is_not_the_end_of_trials(tmp_path: Path) -> None:
    enough = Event()

    def busy(content: bytes, wanted: PictureInput, pixels: Room, row: Row) -> Frame:
        while wanted == COLOUR and not enough.is_set():
            hashlib.sha256(content)
        return prepare_into(content, wanted, pixels, row)

    with pytest.RaisesGroup(DecoderStuckError, flatten_subgroups=True):
        async with running(tmp_path, Decoding(here=busy), maxDecodeSeconds=1) as rig:
            rig.announce()
            ask(rig, LiveShare(share=1))
            await live(rig, drop(rig.share, png(), "a.png"))
            await rig.hub.until_reported("status.state", "stopped")
    enough.set()
