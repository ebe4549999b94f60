"""Files of several pictures: each a sample, in bounded memory, and whole or not at all."""

import tracemalloc
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from corpus import CASES
from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_common.messages import MAX_BODY_BYTES, Part, ReceiptStatus
from edge_common.tensors import TensorReader
from edge_transform.prepare import prepare, prepare_into, prepare_rows
from edge_transform.prepare.samples import samples
from edge_transform.room import Room
from edge_transform.tables import Block
from edge_transform.transform import MOST_BATCHES
from edge_transform.workshop import CORES
from unit.transform.pictures import COLOUR, LUMA, PIXELS, Pixels, drop, encode, noise, png
from unit.transform.rig import running

LOSSLESS: Mapping[str, Mapping[str, Any]] = {
    "TIFF": {},
    "PNG": {},
    "WEBP": {"lossless": True, "exact": True},
    "GIF": {"optimize": False, "disposal": 1},
}
CONTENT = {case.name: case.build for case in CASES}


def grey(count: int, side: int = 16) -> Sequence[Pixels]:
    return [noise(side, side, seed=seed) for seed in range(count)]


def pages(pictures: Sequence[Pixels], kind: str = "TIFF") -> bytes:
    """All of them in one file."""
    first, *others = (Image.fromarray(picture) for picture in pictures)
    return encode(first, kind, save_all=True, append_images=others, **LOSSLESS[kind])


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("wanted", [LUMA, COLOUR, PIXELS], ids=["L", "RGB", "uint8"])
def test_every_page_is_prepared_like_a_picture_of_its_own(kind: str, wanted: ImageInput) -> None:
    pictures = grey(10)
    alone = [prepare(encode(picture, "PNG"), wanted) for picture in pictures]
    np.testing.assert_array_equal(prepare_rows(pages(pictures, kind), wanted), alone)


def test_pages_have_sizes_and_frames_of_their_own() -> None:
    content = CONTENT["pictures/pages-of-two-sizes.tiff"]()
    [(_, frames)] = samples(BytesIO(content), content, LUMA, Room(1000))
    assert [(frame.width, frame.height) for frame in frames] == [(8, 8), (4, 16)]


def test_the_largest_page_takes_its_room_until_the_end() -> None:
    room = Room(100)
    content = CONTENT["pictures/pages-of-two-sizes.tiff"]()
    each = samples(BytesIO(content), content, LUMA.model_copy(update={"batch": 1}), room)
    next(each)
    assert room.used == 64
    list(each)
    assert room.used == 0


def test_what_has_several_is_no_picture_of_a_batch() -> None:
    with pytest.raises(ItemError) as raised:
        prepare_into(pages(grey(2)), LUMA, Room(1000), np.empty(LUMA.sample_shape, np.float32))
    assert raised.value.code == "SEVERAL"


async def test_pages_become_parts_beside_pictures_of_one(tmp_path: Path) -> None:
    pictures = grey(4 * (MOST_BATCHES + 2))
    async with running(tmp_path) as rig:
        rig.announce(LUMA)
        item = drop(rig.share, pages(pictures), "scan.tiff")
        rig.send(drop(rig.share, png(7), "a.png"), item, drop(rig.share, png(8), "b.png"))
        rows: list[Block] = []
        parts: list[Part] = []
        for number in range(MOST_BATCHES + 3):
            message = (await rig.batches(number + 1))[number]
            assert len(rig.stored()) <= MOST_BATCHES + 1
            if message.parts[0].item == item:
                rows.append(np.array(TensorReader(rig.store).read(message.batch)))
                parts += message.parts
            else:
                assert [part.item.path for part in message.parts] == ["a.png", "b.png"]
            rig.confirm(message, ReceiptStatus.PART)
    np.testing.assert_array_equal(np.concatenate(rows), [prepare(Image.fromarray(one), LUMA) for one in pictures])
    assert [part.part for part in parts] == list(range(len(pictures)))
    assert [part.last for part in parts] == [False] * (len(pictures) - 1) + [True]
    assert all(part.rows == len(part.frames) == 1 for part in parts)


async def test_a_bad_page_condemns_its_file_and_no_other(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce(LUMA)
        rig.send(drop(rig.share, CONTENT["pictures/bad-page.tiff"](), "bad.tiff"), drop(rig.share, png(), "good.png"))
        [reject] = await rig.rejects()
        [message] = await rig.batches(1)
    assert (reject.code, reject.retryable) == ("BAD_PAGE", False)
    assert "page 2 " in reject.message
    assert [part.item.path for part in message.parts] == ["good.png"]


async def test_batches_of_pages_fit_a_message(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce(LUMA.model_copy(update={"batch": 1024}))
        rig.send(drop(rig.share, pages(grey(200, 8)), f"{'long/' * 120}scan.tiff"))
        await rig.batches(3)
        assert all(len(sent.body) < MAX_BODY_BYTES for sent in rig.hub.sent)


async def test_pictures_that_wait_for_its_room_keep_no_file_from_going_on(tmp_path: Path) -> None:
    """It takes all the room there is, and keeps it while its batches are in the store."""
    pictures = grey(4 * (MOST_BATCHES + 4), 32)
    async with running(tmp_path, maxPixels=32 * 32) as rig:
        rig.announce(LUMA)
        rig.send(drop(rig.share, pages(pictures), "scan.tiff"))
        first = await rig.batches(MOST_BATCHES)
        rig.send(*(drop(rig.share, png(number, 32), f"{number}.png") for number in range(4 * CORES)))
        for message in first:
            rig.confirm(message, ReceiptStatus.PART)
        sent = await rig.batches(MOST_BATCHES + 4 + CORES)
    assert sum(part.last for message in sent for part in message.parts) == 1 + 4 * CORES


def test_nothing_of_files_of_several_pages_stays_in_memory() -> None:
    content = pages(grey(2, side=512))
    tracemalloc.start()
    try:
        for _ in range(20):
            with pytest.raises(ItemError, match="several"):
                prepare_into(bytes(bytearray(content)), LUMA, Room(1 << 20), np.empty(LUMA.sample_shape, np.float32))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 5 * len(content)
