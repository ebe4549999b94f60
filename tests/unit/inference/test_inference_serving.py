import numpy as np
import pytest

from edge_common.errors import ItemError
from edge_inference.model import LoadedModel
from edge_inference.serving import Serving
from edge_inference.session import Plan
from support.models import contract
from support.sessions import PLAN, FakeSession, fake_model


def model(side: int, name: str = "teller", *providers: str) -> LoadedModel:
    made_by = contract(name, side)
    return fake_model(made_by, FakeSession(made_by, np.asarray, providers or PLAN.providers), name)


A, B, C = model(2), model(3), model(4)


def code_of(serving: Serving, stamp: str, now: float = 0) -> str:
    with pytest.raises(ItemError) as caught:
        serving.pick(stamp, now)
    assert caught.value.can_retry
    return caught.value.code


def test_nothing_serves_at_first() -> None:
    assert code_of(Serving(), A.stamp) == "NO_MODEL"


def test_each_batch_goes_to_the_model_of_its_stamp() -> None:
    serving = Serving()
    serving.activate(A, 0)
    serving.activate(B, 0)
    assert serving.pick(A.stamp, 0) is A
    assert serving.pick(B.stamp, 0) is B
    assert code_of(serving, C.stamp) == "CONTRACT_GONE"


def test_of_two_models_with_one_stamp_the_active_one_answers() -> None:
    serving, other = Serving(), model(2, "other")
    serving.activate(A, 0)
    serving.activate(other, 0)
    assert A.stamp == other.stamp
    assert serving.pick(A.stamp, 0) is other


def test_the_retiring_model_goes_once_nobody_has_needed_it_for_long_enough() -> None:
    serving = Serving()
    serving.activate(A, 0)
    serving.activate(B, 10)
    assert serving.release(39, 30) is None
    assert serving.pick(A.stamp, 39) is A
    assert serving.release(68, 30) is None
    assert serving.release(69, 30) is A
    assert serving.release(70, 30) is None
    assert code_of(serving, A.stamp) == "CONTRACT_GONE"
    assert serving.pick(B.stamp, 70) is B


def test_there_and_back_needs_no_loading() -> None:
    serving = Serving()
    serving.activate(A, 0)
    serving.activate(B, 0)
    assert serving.loaded(A.identity.digest, PLAN) is A
    assert serving.loaded(A.identity.digest, Plan(("CUDAExecutionProvider",), require_gpu=True)) is None
    serving.activate(A, 0)
    assert (serving.active, serving.retiring) == (A, B)


def test_a_third_model_finds_room() -> None:
    serving = Serving()
    serving.activate(A, 0)
    serving.activate(B, 0)
    serving.make_room()
    assert serving.loaded(A.identity.digest, PLAN) is None
    serving.activate(C, 0)
    assert (serving.active, serving.retiring) == (C, B)


def test_the_active_model_loaded_anew_retires_nobody() -> None:
    serving, anew = Serving(), model(2)
    serving.activate(A, 0)
    serving.activate(anew, 0)
    assert serving.active is anew
    assert serving.retiring is None


def test_without_the_gpu_that_is_required_nothing_is_served() -> None:
    serving = Serving()
    serving.require_gpu = True
    assert code_of(serving, A.stamp) == "NO_GPU"
    serving.activate(A, 0)
    assert code_of(serving, A.stamp) == "NO_GPU"
    on_gpu = model(3, "teller", "CUDAExecutionProvider", "CPUExecutionProvider")
    serving.activate(on_gpu, 0)
    assert serving.pick(on_gpu.stamp, 0) is on_gpu
