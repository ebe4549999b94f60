"""onnxruntime and nothing else: ``bare.py GRAPH SAMPLE SECONDS``, one sample a run, one thread; a process of its own.

Prints what ``asking`` prints.
"""

import json
import sys

import numpy as np
import onnxruntime

from bench.asking import measure
from bench.networks import SIDE


def main() -> None:
    """Run it over and over."""
    graph, sample, seconds = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    feeds = {session.get_inputs()[0].name: np.fromfile(sample, np.float32).reshape(1, 3, SIDE, SIDE)}
    session.run(None, feeds)  # what is allocated on first use is there now
    print(json.dumps(measure([lambda: session.run(None, feeds)], float(seconds))))


if __name__ == "__main__":
    main()
