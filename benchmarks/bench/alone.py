"""What the suite does with a picture, in one process: the limit that it is compared with.

Threads take the files one by one; each decodes, prepares, runs and reads the scores as the modules do, by their own
code. With ``--results`` every sixteen results are lines of JSON on the disk, synced, as a careful script would have
them. The one line that it prints is a JSON object: ``seconds``, ``cpu_s`` and ``others``, see ``limit.Alone``.
"""

import argparse
import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final

import numpy as np
import onnxruntime

from bench.processor import Busy
from edge_common.contract import Contract, ImageInput
from edge_inference.outputs import interpreter
from edge_transform.prepare import prepare

STORED_TOGETHER: Final = 16


def main() -> None:
    """Work through a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of a model.onnx and its contract.json")
    parser.add_argument("files", type=Path, help="folder")
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--intra", type=int, default=1, help="threads in a run")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    worker = Worker.load(options.model, options.intra)
    files = sorted(options.files.iterdir())
    worker.predict(files[0])
    store, queue = Store(options.results), Queue(files)
    before, used = Busy.now(), time.process_time()
    with ThreadPoolExecutor(options.callers) as pool:
        for done in [pool.submit(work, worker, queue, store) for _ in range(options.callers)]:
            done.result()
    store.close()
    cpu_s = time.process_time() - used
    print(json.dumps({"seconds": time.monotonic() - before.at, "cpu_s": cpu_s, "others": before.others([cpu_s])}))


class Queue:
    """Hands out files to threads."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = iter(files)
        self._lock = Lock()

    def __iter__(self) -> Iterator[Path]:
        while path := self._next():
            yield path

    def _next(self) -> Path | None:
        with self._lock:
            return next(self._files, None)


class Store:
    """Keeps results on the disk, or nowhere."""

    def __init__(self, file: Path | None) -> None:
        self._file = file.open("wb") if file else None
        self._lines: list[bytes] = []
        self._lock = Lock()

    def add(self, result: dict[str, Any]) -> None:
        """Keep one."""
        if self._file:
            with self._lock:
                self._lines.append(json.dumps(result).encode() + b"\n")
                if len(self._lines) == STORED_TOGETHER:
                    self._sync(self._file)

    def close(self) -> None:
        """Have on the disk what is not there yet."""
        if self._file:
            with self._file as file:
                self._sync(file)

    def _sync(self, file: BinaryIO) -> None:
        file.writelines(self._lines)
        self._lines.clear()
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True)
class Worker:
    """A loaded model."""

    contract: Contract
    wanted: ImageInput
    session: Any
    reader: Any

    @classmethod
    def load(cls, model: Path, intra: int) -> "Worker":
        """Load it for so many threads in a run."""
        contract = Contract.model_validate_json((model / "contract.json").read_bytes())
        if not isinstance(contract.input, ImageInput):
            raise TypeError("the model takes no pictures")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = intra, 1
        session = onnxruntime.InferenceSession(model / "model.onnx", options, providers=["CPUExecutionProvider"])
        return cls(contract, contract.input, session, interpreter(contract))

    def predict(self, path: Path) -> dict[str, Any]:
        """What is in a file. One picture a run: on CPUs, larger batches are slower."""
        row = prepare(path.read_bytes(), self.wanted)[np.newaxis]
        values = self.session.run(self.reader.names, {self.wanted.name: row})
        (prediction,) = self.reader.interpret(dict(zip(self.reader.names, values, strict=True)), [None])
        return {"path": path.name, **prediction}


def work(worker: Worker, queue: Queue, store: Store) -> None:
    """What each thread does."""
    for path in queue:
        store.add(worker.predict(path))


if __name__ == "__main__":
    main()
