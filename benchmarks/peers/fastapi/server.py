"""FastAPI and onnxruntime: the raw body is the tensor, runs are in FastAPI's threads.

``server.py GRAPH PORT``. As https://fastapi.tiangolo.com/async and https://uvicorn.dev/deployment have it: uvicorn
with uvloop and httptools, blocking work beside the event loop, no access log.
"""

import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

graph, port = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
taken = session.get_inputs()[0].name
app = FastAPI()


def scores(body: bytes) -> bytes:
    """What the graph makes of one sample."""
    row = np.frombuffer(body, np.float32).reshape(1, 3, 224, 224)
    given: bytes = session.run(None, {taken: row})[0].tobytes()
    return given


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Raw float32 in, raw float32 out."""
    answer = await run_in_threadpool(scores, await request.body())
    return Response(answer, media_type="application/octet-stream")


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
