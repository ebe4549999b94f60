"""Clients that ask a server over and over, each as soon as it has its answer; a process of its own.

It needs the standard library alone, so that any environment's Python runs it, and grpcio with ``--grpc``. The one line
that it prints is a JSON object: ``answers``, ``seconds``, and ``p50`` and ``p99`` of an answer in milliseconds.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

Ask = Callable[[], bytes]
OK = 200


def main() -> None:
    """Ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("body", type=Path, help="a file")
    parser.add_argument("--header", action="append", nargs=2, default=[])
    parser.add_argument("--grpc", action="store_true", help="the path is a method, the body its message")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--answer", type=Path, help="ask once, and keep the answer there")
    options = parser.parse_args()
    body, headers = options.body.read_bytes(), dict(options.header)
    asks = [
        calls(options.port, options.path, body) if options.grpc else posts(options.port, options.path, body, headers)
        for _ in range(options.clients)
    ]
    if options.answer:
        options.answer.write_bytes(asks[0]())
    else:
        print(json.dumps(measure(asks, options.seconds)))


def measure(asks: Sequence[Callable[[], object]], seconds: float) -> dict[str, float]:
    """Have each asked for so long, all at once."""
    began, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(len(asks)) as pool:
        took = [each for times in pool.map(lambda ask: over_and_over(ask, began + seconds), asks) for each in times]
    took.sort()
    p50, p99 = (took[len(took) * part // 100] * 1000 for part in (50, 99))
    cpu_s = time.process_time() - used
    return {"answers": len(took), "seconds": time.perf_counter() - began, "cpu_s": cpu_s, "p50": p50, "p99": p99}


def over_and_over(ask: Callable[[], object], until: float) -> list[float]:
    """Ask until then, and at least once; how long each answer took, in seconds."""
    took = list[float]()
    while not took or time.perf_counter() < until:
        began = time.perf_counter()
        ask()
        took.append(time.perf_counter() - began)
    return took


def posts(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> Ask:
    """One client's requests, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port)

    def ask() -> bytes:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != OK:
            raise RuntimeError(f"port {port} answers {response.status}: {answer[:500]!r}")
        return answer

    return ask


def calls(port: int, method: str, message: bytes) -> Ask:
    """One client's calls, on a channel of its own."""
    import grpc  # noqa: PLC0415 - see the module's docstring

    own = [("grpc.use_local_subchannel_pool", 1)]
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", own)
    call = channel.unary_unary(method)

    def ask() -> bytes:
        answer: bytes = call(message)
        return answer

    return ask


if __name__ == "__main__":
    main()
