"""The protocol's addresses.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from functools import partial
from importlib.metadata import version
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from edge_common.errors import ItemError
from edge_inference.batching.runs import Ask, Asking
from edge_inference.engine import Engine
from edge_inference.errors import RunFailedError
from edge_inference.model import LoadedModel
from edge_inference.serving import Serving
from edge_inference.web import datatypes
from edge_inference.web.intake import Intake
from edge_inference.web.messages import Reply, read, served, write
from edge_inference.web.refusal import BAD_REQUEST, FAILED, NOT_FOUND, UNAVAILABLE, RefusedError

HEAD: Final = "Inference-Header-Content-Length"
"""How many bytes of a body are JSON, where binary tensors follow."""

_PLATFORM: Final = "onnxruntime_onnx"
_WHICH: Final = ("/v2/models/{name}", "/v2/models/{name}/versions/{version}")


class Routes:
    """Answers requests from the model that is active.

    Args:
        engine: Runs it, in turn with the batches.
        serving: Knows it.
        intake: Bounds what is taken in.
    """

    def __init__(self, engine: Engine, serving: Serving, intake: Intake) -> None:
        self._engine = engine
        self._serving = serving
        self._intake = intake

    @property
    def all(self) -> list[Route]:
        """All of them."""
        routes = [
            Route("/v2", self._about, name="server"),
            Route("/v2/health/live", self._live, name="health"),
            Route("/v2/health/ready", self._ready, name="health"),
        ]
        for path in _WHICH:
            routes.append(Route(path, self._metadata, name="metadata"))
            routes.append(Route(f"{path}/ready", self._model_ready, name="ready"))
            routes.append(Route(f"{path}/infer", self._infer, methods=["POST"], name="infer"))
        return routes

    async def _about(self, _: Request) -> Response:
        about = {"name": "edge-inference", "version": version("edge-inference"), "extensions": ["binary_tensor_data"]}
        return JSONResponse(about)

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, _: Request) -> Response:
        try:
            self._serving.current()
        except ItemError as error:
            raise RefusedError(BAD_REQUEST, str(error)) from None  # as the protocol wants it
        return JSONResponse({"ready": True})

    async def _metadata(self, request: Request) -> Response:
        model = _named(request, self._model)
        wanted = model.contract.input
        takes = {
            "name": wanted.name,
            "datatype": datatypes.TAKEN[wanted.sample_dtype],
            "shape": [-1, *wanted.sample_shape],
        }
        gives = [datatypes.described(name, model.session.outputs[name]) for name in served(model)]
        about = {"name": model.identity.name, "versions": [model.identity.version], "platform": _PLATFORM}
        return JSONResponse({**about, "inputs": [takes], "outputs": gives})

    async def _model_ready(self, request: Request) -> Response:
        model = _named(request, self._model)
        return JSONResponse({"name": model.identity.name, "ready": True})

    async def _infer(self, request: Request) -> Response:
        with self._intake.place():
            body = await self._intake.body(request.headers, request.receive)
            try:
                work = partial(_answering, request, body, _head(request))
                reply = await self._engine.ask(_client(request), len(body), work)
            except ItemError as error:
                raise RefusedError(UNAVAILABLE, str(error)) from None
        if reply.head is None:
            return Response(reply.body, media_type="application/json")
        return Response(reply.body, headers={HEAD: str(reply.head)}, media_type="application/octet-stream")

    @property
    def _model(self) -> LoadedModel:
        try:
            return self._serving.current()
        except ItemError as error:
            raise RefusedError(UNAVAILABLE, str(error)) from None


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _answering(request: Request, body: bytes, head: int | None, model: LoadedModel) -> Asking[Reply]:
    asked = read(body, head, _named(request, model))
    try:
        values = yield Ask(asked.rows, [*asked.outputs])
    except RunFailedError as error:
        raise RefusedError(FAILED, f"the model could not run: {error}") from error
    return write(asked, values, model)


def _named(request: Request, model: LoadedModel) -> LoadedModel:
    """The model, if it is the one that the address names.

    Raises:
        RefusedError: It is another one.
    """
    name, active = request.path_params["name"], model.identity
    release = request.path_params.get("version", active.version)
    if (name, release) != (active.name, active.version):
        raise RefusedError(NOT_FOUND, f"{name[:200]} {release[:200]} is not active: {active.name} {active.version} is")
    return model


def _head(request: Request) -> int | None:
    text = request.headers.get(HEAD)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise RefusedError(BAD_REQUEST, f"{HEAD} must be a number of bytes")
    return int(text)
