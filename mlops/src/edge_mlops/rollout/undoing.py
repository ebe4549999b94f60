"""Telling the devices of a rollout of the model before again."""

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from edge_mlops.errors import ChangedError, PlanError
from edge_mlops.rollout.events import Event, Report, Tell, WaveReport
from edge_mlops.rollout.fleet import Fleet, Mark, ModuleTwin
from edge_mlops.rollout.standing import Seen, Standing, asks_for, named
from edge_mlops.rollout.watching import Clock, Watch

WAIT_S: Final = 600.0


def roll_back(fleet: Fleet, rollout: str, tell: Tell, wait_s: float = WAIT_S, clock: Clock = time) -> Report:
    """Roll a rollout back, whether it ended well, was killed, or is being rolled back already.

    Args:
        fleet: The devices.
        rollout: Its id.
        tell: Is told of what happens.
        wait_s: How long devices that are connected may take.
        clock: The time.

    Raises:
        PlanError: No device bears its mark.
        HubError: The hub cannot be asked; doing it again goes on.
    """
    watch = Watch(fleet, rollout, tell, clock)
    watch.look(undone=True)
    if not [*watch.board]:
        raise PlanError(f"no device bears the mark of rollout {rollout}")
    undo(watch, wait_s)
    waves = [WaveReport(f"wave {wave + 1}", watch.board.counts(wave)) for wave in range(watch.board.waves)]
    return Report(rollout, "an operator asked for it", waves)


def undo(watch: Watch, wait_s: float) -> None:
    """Tell all devices of a rollout of the model before again, and wait until those that are connected serve it.

    Devices that somebody has asked for another model since are left alone.

    Args:
        watch: What is known of them.
        wait_s: How long they may take.

    Raises:
        HubError: The hub cannot be asked; doing it again goes on.
    """
    asked = _return_others(watch, ())
    end = watch.clock.monotonic() + wait_s
    while True:
        watch.look(undone=True)
        asked = _return_others(watch, asked)
        if not watch.board.those(Standing.WAITING):
            return
        if watch.clock.monotonic() >= end:
            watch.look_closely()
            return
        watch.pause()


def _return_others(watch: Watch, asked: Collection[str]) -> Collection[str]:
    """Ask all devices but these, which were asked: the index may show some late. Gives those that are asked now."""
    for device in watch.board:
        if device not in asked:
            _return(watch, device)
    return {*watch.board}


def _return(watch: Watch, device: str) -> None:
    wave = watch.board.wave_of(device)
    while twin := watch.fleet.twin(device):
        mark = twin.mark
        if mark is None or mark.id != watch.rollout or not (mark.undone or asks_for(twin, mark.id)):
            watch.note(device, Seen(Standing.OVERRULED, f"asked for {named(twin.model)}"), wave)
            return
        if mark.undone or _restored(watch, twin, mark):
            watch.note(device, Seen(Standing.WAITING), wave)
            return
    watch.note(device, Seen(Standing.ABSENT), wave)


def _restored(watch: Watch, twin: ModuleTwin, mark: Mark) -> bool:
    """Ask for the model before; says whether the twin was still as it was read."""
    try:
        watch.fleet.update(twin, _again(mark.before), replace(mark, undone=True))
    except ChangedError:
        return False
    watch.tell(Event("told again", named(mark.before), twin.device))
    return True


def _again(model: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A model as a device takes it again, which has served a later one meanwhile."""
    return None if model is None else {**model, "allowDowngrade": True}
