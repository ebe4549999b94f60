"""What becomes of a file once its result is stored."""

from pathlib import Path

import pytest

from unit.ingest.rig import MARK, accepting, files, put, running


@pytest.mark.parametrize(
    ("retention", "left"),
    [
        ("keep", {"a/b.png"}),
        ("delete", set()),
        ("archive", {".edge/archive/2026-01-01/a/b.png"}),
    ],
)
async def test_retention(folder: Path, retention: str, left: set[str]) -> None:
    put(folder, "a/b.png")
    async with running(folder, retention=retention) as rig:
        await rig.until(lambda: rig.states() == {"a/b.png": "done"})
    assert files(folder) == {*left, MARK}


async def test_nothing_is_removed_before_it_is_uploaded(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, accepting, retention="delete") as rig:
        await rig.until_state(a__png="accepted")
        for _ in range(20):
            await rig.pass_time(10)
        assert file.exists()


async def test_a_settled_file_that_is_dropped_again_gets_retention_at_once(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, retention="delete") as rig:
        await rig.until(lambda: not file.exists())
        await rig.until_state(a__png="done")
        rig.put("a.png")
        await rig.until(lambda: not file.exists())
        assert len(rig.items) == 1


async def test_kept_files_get_the_retention_that_is_set_later(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder) as rig:
        await rig.until_state(a__png="done")
        rig.hub.edit_twin({"retention": "delete"})
        await rig.until(lambda: not file.exists())
        assert len(rig.items) == 1


async def test_what_was_being_retired_when_an_earlier_life_ended_is_finished(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, retention="delete") as rig:
        await rig.until_state(a__png="done")
        item = rig.items[0].id
    file.write_bytes(b"data")
    retiring = folder / f"share/.edge/retiring/{item}"
    file.rename(retiring)
    stranger = put(folder, ".edge/retiring/stranger")
    async with running(folder, retention="delete") as rig:
        await rig.until(lambda: not retiring.exists())
    assert stranger.exists()
