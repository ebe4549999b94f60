"""Direct methods: what an operator asks of the models, answered at once."""

import asyncio
import base64
import io
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from edge_common.errors import TensorStoreError
from edge_common.hub import Method
from edge_inference.errors import RunFailedError, TrialRefusedError, TrialUnansweredError
from edge_inference.manager import ModelManager
from edge_inference.model import LoadedModel, all_finite
from edge_inference.serving import Serving
from edge_inference.session import Array
from edge_inference.store import ModelStore
from edge_inference.trials import MOST_SAMPLES, Prepared, Trials

Reply = tuple[int, Mapping[str, Any]]


class Methods:
    """The module's direct methods.

    Args:
        manager: Swaps models.
        serving: The models in memory.
        store: The models on disk.
        trials: Has files prepared.
    """

    def __init__(self, manager: ModelManager, serving: Serving, store: ModelStore, trials: Trials) -> None:
        self._manager = manager
        self._serving = serving
        self._store = store
        self._trials = trials

    @property
    def by_name(self) -> Mapping[str, Method]:
        """As the hub wants them."""
        return {
            "models": self.models,
            "rollback": self.rollback,
            "validate": self.validate,
            "predict": self.predict,
        }

    async def models(self, _: Any) -> Reply:
        """The models on disk: digest, name, version, bytes, and what each is now."""
        packages = await asyncio.to_thread(self._store.packages)
        states = self._manager.states
        return 200, {
            "models": [
                {**identity.model_dump(by_alias=True), "bytes": size, "state": states.get(identity.digest, "Stored")}
                for identity, size in packages
            ]
        }

    async def rollback(self, _: Any) -> Reply:
        """Take back what is wanted: it stays rejected until the desired property's ``requestId`` changes."""
        done = await self._manager.roll_back()
        return (200, {"model": self._manager.report}) if done else _error(409, "there is no model to return to")

    async def validate(self, payload: Any) -> Reply:
        """Take a model, given as in the desired property ``model``, through everything up to Golden."""
        outcome = await self._manager.validate(payload)
        return (200, asdict(outcome)) if outcome else _error(409, "a swap is under way")

    async def predict(self, payload: Any) -> Reply:
        """Predict one file, or a few prepared samples.

        Args:
            payload: ``{"file": …}``: a file as it comes on the share, in base64. Transform prepares it; of many samples
                the first, and the answer says that there are ``more``. Or ``{"npy": …}``: a ``.npy`` file in base64,
                prepared: of shape ``(rows, *sample)``.
        """
        model = self._serving.active
        if model is None:
            return _error(409, "no model is active")
        try:
            samples, frames, more = await self._samples(payload, model)
            values = await asyncio.to_thread(model.run, samples)
        except (ValueError, RunFailedError, TrialRefusedError) as error:
            return _error(400, str(error))
        except (TrialUnansweredError, TensorStoreError) as error:
            return _error(504, str(error))
        if not all_finite(values):
            return _error(400, "the model gave NaN or infinity")
        predictions = model.interpret(values, frames or [None] * len(samples))
        answer = {"model": model.identity.model_dump(by_alias=True), "predictions": [*predictions]}
        return 200, answer | {"more": True} if more else answer

    async def _samples(self, payload: Any, model: LoadedModel) -> Prepared:
        match payload:
            case {"file": content, **others} if not others:
                return await self._trials.prepare(_bytes("file", content), model.contract.input)
            case {"npy": content, **others} if not others:
                return Prepared(_array(_bytes("npy", content), model))
        raise ValueError('either {"file": …} or {"npy": …} is wanted, in base64')


def _bytes(key: str, content: Any) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key} must be in base64 ({error})") from None


def _array(data: bytes, model: LoadedModel) -> Array:
    """Raises ValueError where it holds none that the model takes."""
    try:
        samples: Any = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, MemoryError) as error:
        raise ValueError(f"npy must be a .npy file in base64 ({error})") from None
    wanted = model.contract.input
    if (
        not isinstance(samples, np.ndarray)
        or samples.dtype != wanted.sample_dtype
        or samples.shape[1:] != wanted.sample_shape
    ):
        raise ValueError(f"{wanted.sample_dtype} of shape (rows, {', '.join(map(str, wanted.sample_shape))}) is wanted")
    if not 0 < len(samples) <= MOST_SAMPLES:
        raise ValueError(f"1 to {MOST_SAMPLES} samples are answered, not {len(samples)}")
    return samples


def _error(status: int, reason: str) -> Reply:
    return status, {"error": reason}
