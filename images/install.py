"""Puts a module into its image; runs in the first stage of every Dockerfile, which needs no shell for it.

    python3 images/install.py dependencies   what the lock files in wheels/ say, to /dependencies/opt/edge
    python3 images/install.py module NAME    edge_common and the module, to /module/opt/edge; its volume, to /volume

Two steps make two layers, so that a module's next version takes no more than the small one. What is left behind
depends on nothing but what was installed: no byte code that carries a time, and one mtime for every file.
"""

import compileall
import os
import py_compile
import shutil
import struct
import subprocess
import sys
import venv
from pathlib import Path

EDGE = Path("/opt/edge")
DEPENDENCIES = Path("/dependencies/opt/edge")
MODULE = Path("/module/opt/edge")
STATE = Path("/volume/data/state")
BUILD_TOOLS = Path("/tmp/build")  # noqa: S108 - an image's, whose only user is this program
WHEELS = Path("wheels")

MTIME = 315532800
"""1980, the earliest that a zip file can hold."""

UNUSED = (
    *("tests", "include", "*.a", "*.h", "*.hpp", "*.c", "*.cc", "*.cpp", "*.pyi", "*.pxd", "*.pyx", "*.pxi"),
    *("numpy/distutils", "numpy/f2py", "numpy/_core/_simd.*", "numpy/_core/*_tests.*"),
    *("numpy/fft", "numpy/polynomial", "numpy/random"),  # each is imported when it is first asked for
    # Tools that change models, and the library for programs in C; Python's extension contains it once more.
    *("onnxruntime/tools", "onnxruntime/transformers", "onnxruntime/quantization"),
    "onnxruntime/capi/libonnxruntime.so*",
    # What talks to clusters and clouds, and each library's two other names, which a wheel holds as copies.
    *("pyarrow/*flight*", "pyarrow/*s3*", "pyarrow/_hdfs*", "pyarrow/_gcsfs*", "pyarrow/_azurefs*"),
    *("pyarrow/_orc*", "pyarrow/_dataset*", "pyarrow/_feather*", "pyarrow/_acero*", "pyarrow/_substrait*"),
    *("pyarrow/*encryption*", "pyarrow/*cpp_tests*"),
    *("pyarrow/libarrow_python*.so", "pyarrow/libarrow_python*.so.*.*.*"),
    # AVIF, which is no format that is decoded, and what writes text into pictures.
    *("PIL/_avif.*", "pillow.libs/libavif-*", "PIL/_imagingft.*"),
    *("pillow.libs/libfreetype-*", "pillow.libs/libharfbuzz-*", "pillow.libs/libbrotli*"),
    # What a server of HTTP/1.1 by httptools has no use for.
    *("starlette/testclient.py", "uvicorn/protocols/websockets", "uvicorn/protocols/http/*zttp*"),
    # Version 1, which version 2 brings along, and a parser of C, which no library needs once it is built.
    *("pydantic/v1", "pycparser*"),
    # Grammars of programming languages, which nothing here prints.
    "pygments/lexers/[a-z]*",
)
"""What packages bring for those who test them or build upon them, and what no module uses of the largest ones."""

WITH_SYMBOLS = ("aiohttp", "cryptography", "frozenlist", "multidict", "propcache", "pyarrow")
"""Whose libraries come with symbols for debuggers, a fifth of them and more."""

CHANGED = (
    "Of the packages below, which are not as they were published, files with these names were left out:",
    *(f"    {pattern}" for pattern in UNUSED),
    f"Symbols were cut off the libraries of {', '.join(WITH_SYMBOLS)}.",
)
"""A note that goes with them, as their licences ask."""


def main(step: str, *names: str) -> None:
    """Do one step."""
    if step == "dependencies":
        install_dependencies()
    else:
        install_module(*names)


def install_dependencies() -> None:
    """Make a virtual environment and install what the module stands on, each file by its hash."""
    venv.create(EDGE, symlinks=True)
    DEPENDENCIES.parent.mkdir(parents=True)
    EDGE.rename(DEPENDENCIES)
    EDGE.symlink_to(DEPENDENCIES)
    pip(bootstrap(), "--require-hashes", "--target", str(BUILD_TOOLS), "-r", "wheels/requirements-build.lock")
    pip(str(BUILD_TOOLS / "pip"), "--require-hashes", "-r", "wheels/requirements.lock")
    for script in ("Activate.ps1", "activate", "activate.csh", "activate.fish"):
        (EDGE / "bin" / script).unlink()
    tidy(DEPENDENCIES)
    (DEPENDENCIES / "CHANGED.txt").write_text("\n".join(CHANGED) + "\n", encoding="utf-8")
    settle(DEPENDENCIES.parents[1])


def install_module(name: str) -> None:
    """Install the suite's own packages, and make the folder that the module's volume takes its owner from."""
    pip(str(BUILD_TOOLS / "pip"), "--no-deps", "--prefix", str(MODULE), "modules/common", f"modules/{name}")
    tidy(MODULE)
    STATE.mkdir(0o750, parents=True)
    settle(MODULE.parents[1])
    settle(STATE.parents[1])


def bootstrap() -> str:
    """The pip to begin with: that among the wheels, or else the image's."""
    return next((f"{wheel}/pip" for wheel in WHEELS.glob("pip-*.whl")), "-mpip")


def pip(program: str, *arguments: str) -> None:
    """Install into the virtual environment, from the wheels alone if there are any."""
    source = ("--no-index", "--find-links", str(WHEELS)) if any(WHEELS.glob("*.whl")) else ()
    into = ("--python", str(EDGE / "bin/python"))
    options = ("--quiet", "--no-cache-dir", "--no-compile", "--no-build-isolation", "--root-user-action=ignore", "-I")
    subprocess.run(
        [sys.executable, program, *into, "install", *options, *source, *arguments],
        check=True,
        env=os.environ | {"PYTHONPATH": str(BUILD_TOOLS)},
    )


def tidy(root: Path) -> None:
    """Remove what is not needed, and compile the rest, which a read-only file system would compile at every start."""
    for pattern in UNUSED:
        for path in list(root.rglob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for package in WITH_SYMBOLS:
        for library in root.glob(f"lib/python*/site-packages/{package}/**/*.so*"):
            strip(library)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(root, quiet=1, stripdir=root, prependdir=EDGE, invalidation_mode=unchecked)


def strip(library: Path) -> None:
    """Cut off a shared library's symbols and sections, which are behind all that is loaded.

    Loading needs the program headers alone (ELF gABI, chapter 5). Addresses stay, so that the file in the wheel names
    those in a core dump. What is no 64-bit little-endian ELF file is left alone.
    """
    with library.open("r+b") as file:
        header = bytearray(file.read(64))
        if header[:6] != b"\x7fELF\x02\x01":
            return
        (table,) = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(table)
        loaded = [sum(struct.unpack_from("<8xQ16xQ", file.read(size))) for _ in range(count)]
        struct.pack_into("<Q", header, 40, 0)  # where the section headers begin
        struct.pack_into("<HH", header, 60, 0, 0)  # how many they are, and which has their names
        file.seek(0)
        file.write(header)
        file.truncate(max(table + size * count, *loaded))


def settle(root: Path) -> None:
    """Give every file and folder the same time of modification."""
    for path in (root, *root.rglob("*")):
        os.utime(path, (MTIME, MTIME), follow_symlinks=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
