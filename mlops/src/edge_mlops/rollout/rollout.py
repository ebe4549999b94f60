"""Bringing a model to a fleet, wave by wave."""

import time

from edge_mlops.errors import ChangedError, PlanError
from edge_mlops.rollout.events import Event, Report, Tell, WaveReport
from edge_mlops.rollout.fleet import Fleet, Mark, ModuleTwin
from edge_mlops.rollout.plan import Plan, Wish
from edge_mlops.rollout.standing import Seen, Standing, named, proven
from edge_mlops.rollout.undoing import undo
from edge_mlops.rollout.verdict import Verdict, judge
from edge_mlops.rollout.watching import Clock, Watch


def roll_out(fleet: Fleet, plan: Plan, wish: Wish, tell: Tell, clock: Clock = time) -> Report:
    """Tell the devices of each wave of a model, once those of the wave before serve it; roll back if too many fail.

    Done again, it goes on where it was interrupted; what was rolled back is not tried again under the same id.

    Args:
        fleet: All devices.
        plan: The waves, and what is allowed.
        wish: What devices are told.
        tell: Is told of what happens.
        clock: The time.

    Raises:
        PlanError: A wave has no device; nothing is changed.
        HubError: The hub cannot be asked; doing it again goes on.
    """
    return _Rollout(plan, wish, Watch(fleet, wish.id, tell, clock)).run()


class _Rollout:
    def __init__(self, plan: Plan, wish: Wish, watch: Watch) -> None:
        self._plan = plan
        self._wish = wish
        self._watch = watch

    def run(self) -> Report:
        waves = self._waves()
        self._watch.waves = {device: number for number, devices in enumerate(waves) for device in devices}
        self._watch.tell(Event("rollout", self._wish.id))
        reason = self._reason(waves)
        if reason:
            self._watch.tell(Event("stopped", reason))
            undo(self._watch, self._plan.wave_seconds)
        counts = map(self._watch.board.counts, range(len(waves)))
        return Report(self._wish.id, reason, [*map(WaveReport, self._plan.waves, counts)])

    def _waves(self) -> list[list[str]]:
        """The devices of each wave, none of them twice."""
        waves: list[list[str]] = []
        known: set[str] = set()
        for condition in self._plan.waves:
            found = [device for device in self._watch.fleet.devices(condition) if device not in known]
            if not found:
                raise PlanError(f"no device meets {condition!r}, or all that do are in waves before")
            known.update(found)
            waves.append(found)
        return waves

    def _reason(self, waves: list[list[str]]) -> str:
        """Why the rollout must be rolled back, once all waves are done or it must."""
        self._watch.look(undone=True)
        if self._watch.is_undone:
            return "it was rolled back before; another id has it tried again"
        for number, devices in enumerate(waves):
            self._watch.tell(Event(f"wave {number + 1}", self._plan.waves[number]))
            if reason := self._wave(number, devices):
                return reason
        return ""

    def _wave(self, number: int, devices: list[str]) -> str:
        """Why the rollout must stop in this wave, if it must."""
        untold = [device for device in devices if device not in self._watch.board]
        for count, device in enumerate(untold):
            if self._watch.is_due and (reason := self._look(number, untold=len(untold) - count).reason):
                return reason
            self._ask(device, number)
        end = self._watch.clock.monotonic() + self._plan.wave_seconds
        while not (verdict := self._look(number, is_over=self._watch.clock.monotonic() >= end)).is_final:
            self._watch.pause()
        return verdict.reason

    def _look(self, number: int, untold: int = 0, *, is_over: bool = False) -> Verdict:
        """Judge how the devices stand now."""
        self._watch.look()
        if is_over:
            self._watch.look_closely()
        if self._watch.is_undone:
            return Verdict(done=False, reason="somebody is rolling it back")
        waves = [self._watch.board.counts(wave) for wave in range(number + 1)]
        waves[number][Standing.WAITING] += untold
        return judge(waves, self._plan, is_over=is_over)

    def _ask(self, device: str, wave: int) -> None:
        """Ask a device for the model, unless somebody asks it for another one at that moment."""
        before: ModuleTwin | None = None
        while twin := self._watch.fleet.twin(device):
            if not self._is_marked(twin) and before and before.model != twin.model:
                self._watch.note(device, Seen(Standing.OVERRULED, f"asked for {named(twin.model)}"))
                return
            if self._is_marked(twin) or self._is_told(twin, wave):
                self._watch.note(device, Seen(Standing.WAITING))
                return
            before = twin
        self._watch.note(device, Seen(Standing.ABSENT))

    def _is_marked(self, twin: ModuleTwin) -> bool:
        """Whether a device was told before: by a rollout that was interrupted, or by an edit whose answer was lost."""
        return twin.mark is not None and twin.mark.id == self._wish.id

    def _is_told(self, twin: ModuleTwin, wave: int) -> bool:
        """Ask for the model; says whether the twin was still as it was read."""
        try:
            self._watch.fleet.update(twin, self._wish.desired, Mark(self._wish.id, wave, proven(twin)))
        except ChangedError:
            return False
        self._watch.tell(Event("told", f"had {named(twin.model)}", twin.device))
        return True
