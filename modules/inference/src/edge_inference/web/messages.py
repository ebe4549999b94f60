"""Requests and answers of ``infer``, as JSON, or JSON with binary tensors behind it.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md ("Inference") and
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_inference.model import LoadedModel
from edge_inference.session import Array
from edge_inference.web import datatypes
from edge_inference.web.refusal import BAD_REQUEST, FAILED, RefusedError

_STRICT: Final = ConfigDict(frozen=True, strict=True)
_Parameters = Mapping[str, Any]
_FOREIGN: Final = frozenset({"classification", "shared_memory_region"})
"""What other servers do for a parameter, and an answer without it would be a wrong one."""


class _Port(BaseModel):
    model_config = _STRICT

    name: str
    parameters: _Parameters = {}


class _Input(_Port):
    shape: tuple[int, ...]
    datatype: str
    data: Any = None


class _Request(BaseModel):
    model_config = _STRICT

    id: str | None = None
    parameters: _Parameters = {}
    inputs: Annotated[tuple[_Input, ...], Field(min_length=1, max_length=64)]
    outputs: Annotated[tuple[_Port, ...], Field(max_length=64)] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of a model.

    Attributes:
        rows: Prepared samples, of shape ``(rows, *sample)``.
        outputs: The wanted outputs, in order; whether each comes in binary form.
        id: The client's, which comes back.
    """

    rows: Array
    outputs: Mapping[str, bool]
    id: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: JSON of so many bytes, and binary tensors behind it if there are any.

    Attributes:
        body: All of it.
        head: How many bytes of it are JSON; None where all are.
    """

    body: bytes
    head: int | None


def read(body: bytes, head: int | None, model: LoadedModel) -> Asked:
    """Read a request.

    Args:
        body: All of it.
        head: How many bytes of it are JSON; None where all are.
        model: What is to answer.

    Raises:
        RefusedError: It is no request, or not one to this model.
    """
    if head is not None and not 0 <= head <= len(body):
        raise RefusedError(BAD_REQUEST, f"the JSON is said to be {head} bytes of {len(body)}")
    try:
        request = _Request.model_validate_json(body[:head])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise RefusedError(BAD_REQUEST, f"{where}: {first['msg']}" if where else first["msg"]) from None
    tail = b"" if head is None else body[head:]
    return Asked(_rows(request, tail, model), _outputs(request, model), request.id)


def write(asked: Asked, values: Mapping[str, Array], model: LoadedModel) -> Reply:
    """Write an answer.

    Raises:
        RefusedError: JSON was asked for, and cannot hold it.
    """
    outputs, tail = [], []
    for name, binary in asked.outputs.items():
        datatype = datatypes.NAMES[model.session.outputs[name].dtype]
        about: dict[str, Any] = {"name": name, "datatype": datatype, "shape": values[name].shape}
        if binary:
            tail.append(datatypes.packed(values[name]))
            outputs.append(about | {"parameters": {"binary_data_size": len(tail[-1])}})
        else:
            outputs.append(about | {"data": _listed(name, values[name])})
    known = {} if asked.id is None else {"id": asked.id}
    said = {"model_name": model.identity.name, "model_version": model.identity.version, **known, "outputs": outputs}
    head = json.dumps(said, separators=(",", ":")).encode()
    return Reply(head + b"".join(tail), len(head) if tail else None)


def served(model: LoadedModel) -> Sequence[str]:
    """The outputs that can be asked for."""
    return [name for name, port in model.session.outputs.items() if port.dtype in datatypes.NAMES]


def _rows(request: _Request, tail: bytes, model: LoadedModel) -> Array:
    wanted = model.contract.input
    if [given.name for given in request.inputs] != [wanted.name]:
        names = ", ".join(repr(given.name) for given in request.inputs)
        raise RefusedError(BAD_REQUEST, f"the model takes one input, {wanted.name!r}, and was given {names}")
    [given] = request.inputs
    _refuse_foreign(given)
    datatype = datatypes.TAKEN[wanted.sample_dtype]
    if given.datatype != datatype:
        raise RefusedError(BAD_REQUEST, f"input {given.name!r} takes {datatype}, not {given.datatype[:20]}")
    sample = [*wanted.sample_shape]
    if [*given.shape[1:]] != sample or not 1 <= (*given.shape, 0)[0] <= wanted.batch:
        some = f"1 to {wanted.batch}" if wanted.batch > 1 else "1"
        takes = ", ".join([some, *map(str, sample)])
        raise RefusedError(BAD_REQUEST, f"input {given.name!r} takes shape [{takes}], not {[*given.shape][:8]}")
    try:
        return _values(given, tail, np.dtype(wanted.sample_dtype)).reshape(given.shape)
    except ValueError as error:
        raise RefusedError(BAD_REQUEST, f"input {given.name!r}: {error}") from None


def _values(given: _Input, tail: bytes, dtype: datatypes.Dtype) -> Array:
    size = given.parameters.get("binary_data_size")
    if size is not None:
        if size != len(tail) or given.data is not None:
            raise ValueError(f"binary_data_size must be all of the {len(tail)} bytes behind the JSON, without data")
        return datatypes.numbers_of_bytes(tail, given.shape, dtype)
    if tail or given.data is None:
        raise ValueError("needs data, or binary_data_size with so many bytes behind the JSON")
    values = datatypes.numbers(given.data, dtype)
    if len(values) != prod(given.shape):
        raise ValueError(f"{len(values)} numbers are not of shape {[*given.shape]}")
    return values


def _outputs(request: _Request, model: LoadedModel) -> Mapping[str, bool]:
    there, binary = served(model), bool(request.parameters.get("binary_data_output", False))
    for wanted in request.outputs:
        _refuse_foreign(wanted)
        if wanted.name not in there:
            raise RefusedError(BAD_REQUEST, f"the model gives {', '.join(map(repr, there))}, not {wanted.name[:200]!r}")
    wishes = {wanted.name: bool(wanted.parameters.get("binary_data", binary)) for wanted in request.outputs}
    return wishes or dict.fromkeys(there, binary)


def _refuse_foreign(port: _Port) -> None:
    if unknown := _FOREIGN & port.parameters.keys():
        raise RefusedError(BAD_REQUEST, f"{port.name[:200]!r}: the parameter {min(unknown)} is not supported")


def _listed(name: str, array: Array) -> Sequence[Any]:
    try:
        return datatypes.listed(array)
    except ValueError as error:
        raise RefusedError(FAILED, f"output {name!r} {error}") from None
