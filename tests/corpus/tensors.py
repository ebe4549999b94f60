"""NumPy's files: harmless, executable and boasting ones."""

import pickle
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.cases import unsupported

NPY = "application/x-npy"


def npy(array: npt.NDArray[Any], *, pickled: bool = False) -> bytes:
    file = BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


def npy_that_says(header: str, data: bytes = bytes(64)) -> bytes:
    """A file of version 1.0 with this header."""
    text = header.encode().ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text + data


def boasting() -> bytes:
    return npy_that_says(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({1 << 40}, {1 << 20})}}")


class Wish:
    """Unpickled, it runs a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('os').abort()",))


TENSORS = (
    unsupported("tensors/good.npy", NPY, lambda: npy(np.zeros((4, 8), np.float32))),
    unsupported("tensors/pickle.npy", NPY, lambda: npy(np.array([Wish()], object), pickled=True)),
    unsupported("tensors/boasting.npy", NPY, boasting),
    unsupported("tensors/header.npy", NPY, lambda: npy_that_says("__import__('os').abort()")),
    unsupported("tensors/short.npy", NPY, lambda: npy(np.zeros((400, 8)))[:200]),
    unsupported("tensors/signature-only.npy", NPY, lambda: b"\x93NUMPY"),
    unsupported("tensors/bare.pickle", "application/octet-stream", lambda: pickle.dumps(Wish())),
)
