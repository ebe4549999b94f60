"""How it is found out what runs best here: the search, what it is valid for, and when it is believed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_common.fakes import FakeClock
from edge_inference.errors import LoadFailedError, RunFailedError
from edge_inference.model import LoadedModel
from edge_inference.onnx_session import OnnxSession
from edge_inference.processors import usable
from edge_inference.session import Array, Way
from edge_inference.tuning.book import MOST, Book
from edge_inference.tuning.choice import Choice, Situation, Tuning, within
from edge_inference.tuning.fingerprint import fingerprint
from edge_inference.tuning.neighbours import Moment
from edge_inference.tuning.search import search
from edge_inference.tuning.trying import BusyError, Stopwatch
from edge_inference.tuning.tuner import Tuner
from support.benches import MoreIsBetter
from support.models import contract, write_model
from support.sessions import PLAN, FakeSession, fake_model

V1 = contract("v1")
GRID = Situation(cores=4, gpu=False, most=16).grid
TUNING = Tuning(Choice(4, 2, Way(2)), 100.0, "2026-01-01T00:00:00+00:00")


class Machine:
    """Takes the time that a run takes.

    Args:
        rate: Samples a second.
        slice_s: How long a choice is tried, at least.
    """

    def __init__(self, rate: Callable[[Choice], float | None], slice_s: float = 0.01) -> None:
        self._rate, self._slice_s = rate, slice_s
        self.now, self.tried = 0.0, list[Choice]()

    def measure(self, choice: Choice) -> float | None:
        self.tried.append(choice)
        rate = self._rate(choice)
        self.now += max(self._slice_s, choice.batch * choice.callers / rate) if rate else self._slice_s
        return rate

    def best(self, seconds: float = 3.0) -> Choice | None:
        found = search(GRID, self.measure, seconds, lambda: self.now)
        return found[0] if found else None


def test_the_grid_goes_from_the_simple_to_the_large_but_for_runs_of_few() -> None:
    crews = [(4, 1), (2, 2), (1, 4)]
    assert [(choice.batch, choice.callers, choice.way.threads) for choice in GRID] == [
        (batch, *crew) for batch in (4, 1, 16) for crew in crews
    ]


def test_a_graph_that_takes_one_sample_is_not_tried_with_more() -> None:
    assert {choice.batch for choice in Situation(4, gpu=False, most=1).grid} == {1}


def test_threads_that_a_setting_fixes_are_not_varied() -> None:
    assert {choice.way for choice in Situation(4, gpu=False, most=16, threads=3).grid} == {Way(3)}


def test_on_a_gpu_callers_and_binding_are_varied_and_not_threads() -> None:
    grid = Situation(8, gpu=True, most=32).grid
    assert {choice.way for choice in grid} == {Way(1), Way(1, bound=True)}
    assert {choice.callers for choice in grid} == {1, 2, 4}
    assert {choice.batch for choice in grid} == {1, 4, 16, 32}


def test_no_more_ways_are_tried_than_there_is_room_for() -> None:
    for room, threads in ((0, {1}), (1, {1, 2}), (2, {1, 2, 4}), (9, {1, 2, 4})):
        assert {choice.way.threads for choice in within(GRID, Way(1), room)} == threads
    assert {choice.way.threads for choice in within(GRID, Way(4), 0)} == {4}


def test_one_core_has_one_crew() -> None:
    assert Situation(1, gpu=False, most=1).grid == [Choice(1, 1)]


def test_callers_with_one_thread_each_are_found_where_batching_costs() -> None:
    assert Machine(lambda choice: 100 * choice.callers / choice.batch**0.1).best() == Choice(1, 4)


def test_a_large_batch_by_one_caller_is_found_where_that_pays() -> None:
    assert Machine(lambda choice: 100 * choice.batch / choice.callers).best() == Choice(16, 1, Way(4))


def test_of_choices_that_are_alike_the_simplest_is_taken() -> None:
    assert Machine(lambda choice: 100 * (1.04 if choice.batch == 16 else 1)).best() == GRID[0]


def test_stalls_while_the_best_was_tried_do_not_hide_it() -> None:
    def rate(choice: Choice) -> float:
        stalled = machine.tried.count(choice) % 2 == 0
        return (60 if stalled else 100) if choice == GRID[0] else 80

    machine = Machine(rate)
    assert machine.best(60.0) == GRID[0]


def test_the_slow_are_tried_once() -> None:
    machine = Machine(lambda choice: 100.0 if choice.batch == 1 else 10.0)
    machine.best(60.0)
    assert all(machine.tried.count(choice) == 1 for choice in GRID if choice.batch > 1)


def test_the_time_is_kept_to() -> None:
    machine = Machine(lambda _: 4.0)  # so a run of sixteen by four takes sixteen seconds
    assert machine.best(3.0) == GRID[0]
    assert machine.now <= 5.0


def test_what_cannot_be_had_is_not_taken() -> None:
    assert Machine(lambda choice: 50.0 if choice.way.threads == 4 else None).best() == Choice(4, 1, Way(4))
    assert Machine(lambda _: None).best() is None


def test_processors_are_those_of_the_affinity_within_the_quota(tmp_path: Path) -> None:
    assert usable(tmp_path) == usable()
    quota = tmp_path / "sys/fs/cgroup/cpu.max"
    quota.parent.mkdir(parents=True)
    for text, count in (("max 100000", usable()), ("50000 100000", 1), ("100000 100000", 1)):
        quota.write_text(text)
        assert usable(tmp_path) == count


def test_a_fingerprint_tells_devices_apart(tmp_path: Path) -> None:
    session = FakeSession(V1, np.asarray)
    bare = fingerprint(session, PLAN, tmp_path)
    (tmp_path / "proc/driver/nvidia/gpus/0000").mkdir(parents=True)
    (tmp_path / "proc/driver/nvidia/gpus/0000/information").write_text("Model: \t Tesla T4\nIRQ:   11\n")
    (tmp_path / "proc/driver/nvidia/version").write_text("NVRM version: 550.54\nGCC version: 12\n")
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: Xeon\n")
    told = fingerprint(session, PLAN, tmp_path)
    assert (told["gpus"], told["driver"], told["processor"]) == ("Tesla T4", "NVRM version: 550.54", "Xeon")
    assert told != bare
    assert "onnxruntime 1." in told["runtime"]
    assert fingerprint(session, replace(PLAN, threads=2), tmp_path) != told


def test_a_book_is_read_again(tmp_path: Path) -> None:
    Book(tmp_path / "tuning.json").enter("sha256:a", {"cores": "2"}, TUNING)
    again = Book(tmp_path / "tuning.json")
    assert again.find("sha256:a", {"cores": "2"}) == TUNING
    assert again.find("sha256:a", {"cores": "4"}) is None
    assert again.find("sha256:b", {"cores": "2"}) is None


def test_a_book_has_the_last_models(tmp_path: Path) -> None:
    book = Book(tmp_path / "tuning.json")
    for number in range(MOST + 1):
        book.enter(f"sha256:{number}", {}, TUNING)
    again = Book(tmp_path / "tuning.json")
    assert [again.find(f"sha256:{number}", {}) for number in (0, 1, MOST)] == [None, TUNING, TUNING]


@pytest.mark.parametrize("text", ["", "{", '{"schema": 2}', '{"schema": 1, "tunings": {"a": {}}}'])
def test_a_damaged_book_is_begun_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "tuning.json").write_text(text)
    book = Book(tmp_path / "tuning.json")
    assert book.find("a", {}) is None
    book.enter("a", {}, TUNING)
    assert Book(tmp_path / "tuning.json").find("a", {}) == TUNING


def test_a_disk_that_refuses_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    book = Book(tmp_path / "nowhere" / "tuning.json")
    book.enter("a", {}, TUNING)
    assert book.find("a", {}) == TUNING


def test_others_are_noticed(tmp_path: Path) -> None:
    def moment(busy: int, idle: int, own: float) -> Moment:
        (tmp_path / "proc").mkdir(exist_ok=True)
        (tmp_path / "proc/stat").write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3\n")
        return replace(Moment.now(tmp_path), own=own)

    before = moment(0, 0, 0.0)
    assert moment(100, 100, 1.0).quiet_since(before)
    assert moment(120, 80, 1.0).quiet_since(before)
    assert not moment(150, 50, 1.0).quiet_since(before)


class Noisy(MoreIsBetter):
    """Its results are not to be believed."""

    def __init__(self, model: LoadedModel, stop: Callable[[], bool]) -> None:
        super().__init__(model, stop)
        self.quiet = False


def test_a_measurement_is_made_once_for_a_model_and_a_device(tmp_path: Path) -> None:
    model, book = fake_model(V1, FakeSession(V1, np.asarray)), Book(tmp_path / "tuning.json")
    tuner = Tuner(book, FakeClock(), MoreIsBetter)
    assert tuner.fit(model, room=2).tuning is None
    tuned = tuner.tune(model, room=2, stop=lambda: False)
    assert tuned.tuning
    assert tuned.tuning.choice.batch == V1.input.batch
    assert tuner.tune(tuned, room=2, stop=lambda: False) is tuned
    assert tuner.fit(model, room=2).tuning == tuned.tuning
    assert tuner.fit(replace(model, plan=replace(PLAN, threads=2)), room=2).tuning is None


def test_beside_others_nothing_is_believed(tmp_path: Path) -> None:
    model, tuner = fake_model(V1, FakeSession(V1, np.asarray)), Tuner(Book(tmp_path / "t"), FakeClock(), Noisy)
    assert tuner.tune(model, room=2, stop=lambda: False) is model
    assert tuner.fit(model, room=2).tuning is None


def test_threads_that_a_setting_fixes_are_those_of_the_session(tmp_path: Path) -> None:
    model = replace(fake_model(V1, FakeSession(V1, np.asarray)), plan=replace(PLAN, threads=3))
    assert Tuner(Book(tmp_path / "t"), FakeClock(), MoreIsBetter).fit(model, room=1).session.way == Way(3)


def test_a_model_that_cannot_be_loaded_once_more_runs_as_it_is(tmp_path: Path) -> None:
    class Single(FakeSession):
        def anew(self, way: Way) -> "FakeSession":
            raise LoadFailedError(f"no memory for {way}")

    plan = replace(PLAN, threads=3)
    refusing, willing = (replace(fake_model(V1, kind(V1, np.asarray)), plan=plan) for kind in (Single, FakeSession))
    tuner = Tuner(Book(tmp_path / "t"), FakeClock(), MoreIsBetter)
    assert tuner.fit(refusing, room=1) is refusing
    assert tuner.fit(willing, room=0) is willing


def test_work_breaks_a_measurement_off(tmp_path: Path) -> None:
    session = FakeSession(V1, lambda rows: rows[:, 0, 0, :2])
    model = fake_model(V1, session)
    tuner = Tuner(Book(tmp_path / "t"), FakeClock(), Stopwatch)
    assert tuner.tune(model, room=2, stop=lambda: len(session.sizes) > 3) is model
    assert len(session.sizes) < 20


@pytest.fixture
def real(tmp_path: Path) -> LoadedModel:
    folder = write_model(tmp_path / "package", V1)
    return replace(
        fake_model(V1, FakeSession(V1, np.asarray)), session=OnnxSession(folder / "model.onnx", PLAN.providers)
    )


@pytest.mark.parametrize("way", [Way(1), Way(2), Way(1, bound=True)])
def test_a_session_gives_the_same_in_every_way(real: LoadedModel, way: Way) -> None:
    samples = np.arange(2 * 16, dtype=np.float32).reshape(2, 1, 4, 4)
    other = replace(real, session=real.session.anew(way))
    assert other.session.way == way
    np.testing.assert_allclose(other.run(samples)["output"], real.run(samples)["output"], rtol=1e-6)
    with pytest.raises(RunFailedError):
        other.session.run({"output": samples}, ["output"])


def test_a_stopwatch_measures_a_graph_in_every_way(real: LoadedModel) -> None:
    watch = Stopwatch(real, lambda: False)
    for choice in (Choice(1, 2), Choice(8, 1, Way(2))):
        assert (watch.rate(choice) or 0) > 0
        assert watch.model(choice.way).session.way == choice.way


def test_a_way_that_cannot_be_had_is_passed_over() -> None:
    class Single(FakeSession):
        def anew(self, way: Way) -> "FakeSession":
            raise LoadFailedError(f"no memory for {way}")

    watch = Stopwatch(fake_model(V1, Single(V1, lambda rows: rows[:, 0, 0, :2])), lambda: False)
    assert watch.rate(Choice(1, 1, Way(2))) is None
    assert watch.rate(Choice(1, 1))


def test_a_run_that_fails_has_no_rate() -> None:
    def fails(_: Array) -> Array:
        raise RunFailedError("no memory")

    assert Stopwatch(fake_model(V1, FakeSession(V1, fails)), lambda: False).rate(Choice(8, 2)) is None


def test_a_stopwatch_stops_for_work() -> None:
    with pytest.raises(BusyError):
        Stopwatch(fake_model(V1, FakeSession(V1, np.asarray)), lambda: True).rate(Choice(1, 2))
