"""``edge-mlops watch``: what starts the steps, what is skipped, and what a failed gate or rollout leaves behind."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge_common.clock import SystemClock
from edge_inference.layout import entries
from edge_mlops.cli import main
from edge_mlops.errors import InputError, WatchError
from edge_mlops.evaluation import verdict as verdicts
from edge_mlops.rollout.plan import Plan as RolloutPlan
from edge_mlops.watching.fleet import Package, Waves
from edge_mlops.watching.memory import Memory, Outcome, alone
from edge_mlops.watching.plan import When, read_plan
from edge_mlops.watching.trigger import Seen, reasons
from edge_mlops.watching.watch import forever, once
from support.datasets import Digits
from support.fleet import SimulatedDevice, SimulatedFleet
from support.registry import RegistryServer
from support.signers import LEAF
from support.upload import HurriedClock

WHEN = When(new_items=100, new_items_in_drift=10, drifting_devices=2)


@pytest.mark.parametrize(
    ("seen", "before", "why"),
    [
        (Seen(99, 0, "a"), "a", []),
        (Seen(100, 0, "a"), None, ["100 new items"]),
        (Seen(99, 1, "a"), "a", []),
        (Seen(9, 2, "a"), "a", []),
        (Seen(10, 2, "a"), "a", ["10 new items while input drifts (devices: 2)"]),
        (Seen(0, 0, "b"), "a", ["what trains or judges has changed"]),
        (Seen(0, 0, "b"), None, []),
        (Seen(200, 2, "b"), "a", ["200 new items", "what trains or judges has changed"]),
    ],
)
def test_what_is_reason_enough(seen: Seen, before: str | None, why: list[str]) -> None:
    assert reasons(WHEN, seen, before) == why


class Devices:
    """Devices that do as they are told, or say why not."""

    def __init__(self, why: str = "") -> None:
        self.why, self.given = why, list[Package]()

    def drifting(self) -> int:
        return 0

    def roll_out(self, package: Package) -> str:
        self.given.append(package)
        return self.why


class Killed(BaseException):
    """The process ends."""


class Site:
    """A plan, and what came of it. How long things take here says nothing, so no gate asks."""

    def __init__(self, digits: Digits, root: Path) -> None:
        self.root, self.file = root, root / "plan.json"
        self.folder, self.layout = root / "watch", root / "layout"
        key, chain = LEAF.write(root)
        store = digits.store.root
        self.said: dict[str, Any] = {
            "name": "pets",
            "store": str(digits.store.cloud),
            "labels": str(store / "labels.csv"),
            "input": str(digits.wish),
            "folder": "watch",
            "layout": "layout",
            "signing": {"key": key.name, "chain": chain.name},
            "gate": {"maxLatencyRatio": 1000},
            "when": {"newItems": 200},
        }
        self.plan()

    def plan(self, **changes: Any) -> None:
        self.said |= changes
        self.file.write_text(json.dumps(self.said))

    def once(self, fleet: Devices | None = None) -> Outcome:
        return asyncio.run(once(read_plan(self.file), fleet, SystemClock()))

    def command(self) -> tuple[int, Mapping[str, Any]]:
        result = CliRunner().invoke(main, ["watch", str(self.file), "--once"])
        return result.exit_code, json.loads(result.stdout) if result.stdout else {"error": result.output}

    @property
    def tags(self) -> list[str]:
        return [entry.tag for entry in entries(self.layout) if entry.tag] if self.layout.exists() else []

    def written(self) -> dict[Path, int]:
        """All that was made, and when."""
        files = [file for file in self.folder.rglob("*.*") if file.is_file() and file.parent != self.folder]
        return {file: file.stat().st_mtime_ns for file in [*files, self.layout / "index.json"]}


@pytest.fixture
def site(digits: Digits, tmp_path: Path) -> Site:
    return Site(digits, tmp_path)


def test_enough_labelled_items_make_a_signed_model_and_the_next_look_finds_no_reason(site: Site) -> None:
    site.plan(when={"newItems": 241})
    assert site.command()[1]["result"] == "nothing"
    assert not site.layout.exists()
    site.plan(when={"newItems": 240})
    status, outcome = site.command()
    assert (status, outcome["result"], outcome["reasons"]) == (0, "published", ["240 new items"])
    assert outcome["reference"].startswith("oci:layout@sha256:")
    assert {*outcome["seconds"]} == {"dataset", "train", "evaluate", "package", "publish"}
    assert site.tags == ["pets:1"]
    written = site.written()
    status, outcome = site.command()
    assert (status, outcome["result"]) == (0, "nothing")
    assert site.written() == written
    (site.root / "watch").rename(site.root / "moved")  # as where CI brings it back from a cache
    site.plan(folder="moved")
    assert site.command()[1]["result"] == "nothing"


def test_a_changed_recipe_is_held_against_the_model_that_is_out_and_a_gate_that_refuses_changes_nothing(
    site: Site,
) -> None:
    fleet = Devices()
    assert site.once(fleet).result == "active"
    site.plan(recipe={"estimator": "perceptron"}, gate={"precision": 1.0, "maxLatencyRatio": 1000})
    before = site.written()
    outcome = site.once(fleet)
    assert (outcome.result, outcome.reasons) == ("refused", ["what trains or judges has changed"])
    assert "its precision is" in outcome.detail
    assert (site.tags, [package.version for package in fleet.given]) == (["pets:1"], ["1"])
    assert before.items() <= site.written().items()
    assert site.command()[1]["result"] == "nothing"  # it is not tried again and again

    site.plan(gate={"noWorseSlices": False, "maxLatencyRatio": 1000})
    outcome = site.once(fleet)
    assert (outcome.result, outcome.version) == ("active", "2")
    assert outcome.run
    assert verdicts.read(outcome.run).reference == "pets:1"
    site.plan(recipe={})  # the change is taken back
    assert site.once(fleet).version == "1"
    assert [(package.version, package.is_return) for package in fleet.given] == [
        ("1", False),
        ("2", False),
        ("1", True),
    ]


def test_devices_take_an_older_version_where_a_change_was_taken_back() -> None:
    class Hub(SimulatedFleet):
        def drifting(self, model: str) -> int:
            return len(model)

    packages = [Package("pets", version, f"oci:library@sha256:{version * 64}") for version in "12"]
    hub = Hub({"edge-1": SimulatedDevice({"ring": 0})})
    waves = Waves(hub, "pets", RolloutPlan(waves=("tags.ring = 0",)), lambda _: None, hub)
    for package in [*packages, packages[0]._replace(is_return=True)]:
        assert not waves.roll_out(package)
        assert (hub.members["edge-1"].active or {})["version"] == package.version


def test_the_command_says_by_its_status_that_the_gate_has_refused(site: Site) -> None:
    site.plan(gate={"precision": 1.0})
    status, outcome = site.command()
    assert (status, outcome["result"]) == (3, "refused")
    assert not site.layout.exists()


def test_a_model_that_devices_gave_back_is_told_so_and_not_brought_out_again(site: Site) -> None:
    outcome = site.once(Devices("edge-3: GOLDEN_FAILED"))
    assert (outcome.result, outcome.detail) == ("rolledBack", "edge-3: GOLDEN_FAILED")
    assert Memory.read(site.folder).active is None
    fleet = Devices()
    assert site.once(fleet).result == "nothing"
    site.plan(gate={"precision": 0.1, "maxLatencyRatio": 1000})  # what it is judged by has changed, but not the model
    assert site.once(fleet).result == "unchanged"
    assert not fleet.given


def test_a_round_that_was_cut_short_is_taken_up_where_it_was(site: Site) -> None:
    class Dying(Devices):
        def roll_out(self, package: Package) -> str:
            raise Killed(package)

    with pytest.raises(Killed):
        site.once(Dying())
    written = site.written()
    assert site.once(Devices()).version == "1"
    assert site.written() == written  # nor is it held against itself
    site.plan(recipe={"estimator": "perceptron"}, gate={"noWorseSlices": False, "maxLatencyRatio": 1000})
    with pytest.raises(Killed):
        site.once(Dying())
    written = site.written()
    outcome = site.once(Devices())
    assert (outcome.result, outcome.version) == ("active", "2")
    assert site.written() == written


async def test_a_watch_goes_on_looking_whatever_keeps_it_from_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    cloud = Path(site.said["store"])
    (site.root / "cloud").symlink_to(site.root / "nowhere")
    site.plan(store="cloud")
    told = list[str]()

    class Clock(HurriedClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if self.monotonic() > 1000:
                raise Killed
            if self.monotonic() > 500:
                (site.root / "cloud").unlink(missing_ok=True)
                (site.root / "cloud").symlink_to(cloud)

    with pytest.raises(Killed):
        await forever(read_plan(site.file), None, Clock(), told.append)
    assert [json.loads(line)["result"] for line in told] == ["published", "nothing"]
    assert len(caplog.records) == 2


def test_a_model_is_pushed_where_a_registry_is_named(site: Site, registry_server: RegistryServer) -> None:
    repository = f"{registry_server.host}/watched/pets"
    site.plan(registry={"repository": repository, "plainHttp": True})
    outcome = site.once()
    assert (outcome.reference or "").startswith(f"{repository}@sha256:")


def test_only_one_watch_works_in_a_folder(site: Site) -> None:
    with alone(site.folder), pytest.raises(WatchError, match="another watch"):
        site.once()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"gaet": {}}, "gaet"),
        ({"when": {"newItems": 0}}, "when.newItems"),
        ({"signing": {}}, "signing.key"),
        ({"recipe": {"estimater": "linear"}}, "recipe"),
    ],
)
def test_a_plan_that_is_none_is_refused_by_its_field(site: Site, changes: dict[str, Any], named: str) -> None:
    site.plan(**changes)
    with pytest.raises(InputError, match=named):
        read_plan(site.file)
