"""How fast a package comes from a registry, and how much memory that takes.

Starts docker-registry on loopback, pushes a package with weights of the given size, and pulls it into a model store in
a process of its own: every byte hashed, written and fsynced. The last line is one JSON object.

    python benchmarks/pull.py [--megabytes 200]
"""

import argparse
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_common.messages import ModelIdentity
from edge_inference import layout
from edge_inference.package import compose, digest_of, layer
from edge_inference.patience import Patience
from edge_inference.registry.names import RegistryName
from edge_inference.registry.registries import Registries, RegistrySource
from edge_inference.sources import LayoutSource
from edge_inference.store import Allowance, ModelStore
from edge_inference.transfer import push

ROUNDS = 5
EVERYTHING = 1 << 40
NAME = "bench/model"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as name, registry(Path(name)) as host:
        digest = publish(Path(name), host, megabytes)
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            results = [pool.apply(pull, (Path(name), host, digest, megabytes)) for _ in range(ROUNDS)]
    rates = sorted(rate for rate, _ in results)
    memory = max(extra for _, extra in results)
    for rate, extra in results:
        sys.stdout.write(f"{rate:.0f} MB/s, {extra:.1f} MiB more\n")
    summary = {"megabytes": megabytes, "mb_per_s": round(rates[ROUNDS // 2]), "extra_mib": round(memory, 1)}
    sys.stdout.write(json.dumps(summary) + "\n")


def publish(folder: Path, host: str, megabytes: int) -> str:
    """Push a package of incompressible weights; its digest."""
    files = folder / "files"
    files.mkdir()
    contents = {"model.onnx": b"graph", "contract.json": b"{}", "weights.bin": os.urandom(megabytes * 10**6)}
    for name, data in contents.items():
        (files / name).write_bytes(data)
    layers = [layer(path.name, digest_of(path.read_bytes()), path.stat().st_size) for path in files.iterdir()]
    package = compose("bench", "1", layers)
    layout.add(files, package, folder / "layout", "bench:1")
    with connected(host) as registries:
        repository = registries.repository(RegistryName(host, NAME, "", ""))
        push(LayoutSource(folder / "layout", package.digest), repository, "1", Patience(), time.sleep)
    os.sync()
    return package.digest


def pull(folder: Path, host: str, digest: str, megabytes: int) -> tuple[float, float]:
    """Pull once; MB/s, and MiB that the process grew by at its peak."""
    root = folder / "store"
    with connected(host) as registries:
        store = ModelStore(root)
        source = RegistrySource(registries.repository(RegistryName(host, NAME, "", "")), digest)
        source.manifest()
        wanted, allowance = ModelIdentity(name="bench", version="1", digest=digest), Allowance(EVERYTHING, EVERYTHING)
        before, began = peak(), time.perf_counter()
        store.admit(wanted, source, allowance, lambda _seconds: None)
        seconds, after = time.perf_counter() - began, peak()
    shutil.rmtree(root)
    return megabytes / seconds, (after - before) / 1024


def peak() -> int:
    """KiB that the process took at most. Not ru_maxrss, which begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@contextmanager
def connected(host: str) -> Iterator[Registries]:
    """Registries, to be closed."""
    registries = Registries.connect([f"http://{host}"], None, None)
    try:
        yield registries
    finally:
        registries.close()


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """A registry on loopback; its host and port."""
    command = shutil.which("docker-registry")
    if command is None:
        sys.exit("needs docker-registry (make registry)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (folder / "registry.yml").write_text(json.dumps(configuration))
    process = subprocess.Popen([command, "serve", str(folder / "registry.yml")], stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
