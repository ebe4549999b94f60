"""Which loaded model answers which batch. Pure: time is an argument."""

from typing import Final

from edge_common.errors import ItemError
from edge_inference.model import LoadedModel
from edge_inference.session import Plan

CONTRACT_GONE: Final = "CONTRACT_GONE"


class Serving:
    """At most two models in memory: the active one, and the one before it for batches that still bear its stamp.

    Attributes:
        active: Answers new batches.
        retiring: The one before it.
        held: Whether the retiring one is kept even if no batch needs it, to be the way back.
        require_gpu: Whether to answer nothing unless a GPU does it.
    """

    def __init__(self) -> None:
        self.active: LoadedModel | None = None
        self.retiring: LoadedModel | None = None
        self.held = False
        self.require_gpu = False
        self._last_needed = 0.0

    def current(self) -> LoadedModel:
        """The model that is active.

        Raises:
            ItemError: There is none that may answer now; trying again can help.
        """
        active = self.active  # which may be another one the next moment: it is asked for in several threads
        if self.require_gpu and not (active and active.on_gpu):
            raise ItemError("NO_GPU", "a GPU is required, and no model runs on one", can_retry=True)
        if active is None:
            raise ItemError("NO_MODEL", "no model is active", can_retry=True)
        return active

    def pick(self, stamp: str, now: float) -> LoadedModel:
        """The model for a batch.

        Args:
            stamp: The batch's.
            now: Monotonic seconds.

        Raises:
            ItemError: There is none now; trying again can help.
        """
        active, retiring = self.current(), self.retiring
        if stamp == active.stamp:
            return active
        if retiring is None or stamp != retiring.stamp:
            raise ItemError(CONTRACT_GONE, f"no loaded model takes batches of contract {stamp[:12]}", can_retry=True)
        self._last_needed = now
        return retiring

    def loaded(self, digest: str, plan: Plan) -> LoadedModel | None:
        """A model that is in memory already, and for that plan."""
        for model in (self.active, self.retiring):
            if model and model.identity.digest == digest and model.plan == plan:
                return model
        return None

    def activate(self, model: LoadedModel, now: float) -> None:
        """Let a model answer from the next batch on; the one that did until now retires.

        Args:
            model: May be the retiring one, or the active one loaded anew.
            now: Monotonic seconds.
        """
        if self.active and self.active.identity != model.identity:
            self.retiring, self._last_needed = self.active, now
        self.active = model

    def improve(self, model: LoadedModel, better: LoadedModel) -> bool:
        """Let the active model run otherwise from the next batch on; False if another one is active meanwhile."""
        if self.active is not model:
            return False
        self.active = better
        return True

    def make_room(self) -> None:
        """Let go of the retiring model, so that a third never stands beside two."""
        self.retiring = None

    def clear(self) -> None:
        """Let go of every model; batches are put off until one is activated."""
        self.active = self.retiring = None

    def release(self, now: float, idle: float) -> LoadedModel | None:
        """Let go of the retiring model if no batch has needed it for so many seconds; gives it back if so."""
        if self.retiring is None or self.held or now - self._last_needed < idle:
            return None
        released, self.retiring = self.retiring, None
        return released
