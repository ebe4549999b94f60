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
    *("tests", "include", "*.a", "*.h", "*.hpp", "*.c", "*.cpp", "*.pyi", "*.pxd", "*.pyx"),
    *("numpy/distutils", "numpy/f2py", "numpy/_core/_simd.*", "numpy/_core/*_tests.*"),
    # Tools that change models, and the library for programs in C; Python's extension contains it once more.
    *("onnxruntime/tools", "onnxruntime/transformers", "onnxruntime/quantization"),
    "onnxruntime/capi/libonnxruntime.so*",
    # What talks to clusters and clouds, and each library's two other names, which a wheel holds as copies.
    *("pyarrow/*flight*", "pyarrow/*s3*", "pyarrow/_orc*", "pyarrow/_dataset*", "pyarrow/*cpp_tests*"),
    *("pyarrow/_csv*", "pyarrow/_json*", "pyarrow/_feather*", "pyarrow/_acero*", "pyarrow/_substrait*"),
    "pyarrow/*encryption*",
    *("pyarrow/libarrow_python*.so", "pyarrow/libarrow_python*.so.*.*.*"),
    # Grammars of programming languages, which nothing here prints.
    "pygments/lexers/[a-z]*",
)
"""What packages bring for those who test them or build upon them, and what no module uses of the largest ones."""


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
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(root, quiet=1, stripdir=root, prependdir=EDGE, invalidation_mode=unchecked)


def settle(root: Path) -> None:
    """Give every file and folder the same time of modification."""
    for path in (root, *root.rglob("*")):
        os.utime(path, (MTIME, MTIME), follow_symlinks=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
