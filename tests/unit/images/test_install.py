import ctypes
import shutil
from pathlib import Path

from pyarrow import lib

from images.install import MTIME, settle, strip, tidy


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_what_modules_do_not_use_is_left_out(tmp_path: Path) -> None:
    for name in ("numpy/core.py", "numpy/tests/test_core.py", "numpy/include/a.h", "pyarrow/libarrow_flight.so.26"):
        write(tmp_path / name)

    tidy(tmp_path)

    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["core.cpython-311.pyc", "core.py"]


def test_byte_code_holds_neither_time_nor_the_folder_it_was_made_in(tmp_path: Path) -> None:
    write(tmp_path / "lib/module.py", "def f():\n    return 1\n")

    tidy(tmp_path)

    (code,) = tmp_path.rglob("*.pyc")
    data = code.read_bytes()
    assert data[4] == 1  # PEP 552: by hash, unchecked
    assert str(tmp_path).encode() not in data
    assert b"/opt/edge/lib/module.py" in data


def test_every_file_folder_and_link_has_the_same_time(tmp_path: Path) -> None:
    write(tmp_path / "folder/file")
    (tmp_path / "link").symlink_to("nowhere")

    settle(tmp_path)

    found = (tmp_path, *tmp_path.rglob("*"))
    assert {path.lstat().st_mtime for path in found} == {MTIME}


def test_a_library_without_its_symbols_is_smaller_and_loads(tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    shutil.copy(lib.__file__, library)

    strip(library)
    once = library.read_bytes()
    strip(library)

    assert len(once) < Path(lib.__file__).stat().st_size
    assert library.read_bytes() == once
    ctypes.CDLL(str(library))


def test_what_is_no_library_keeps_its_bytes(tmp_path: Path) -> None:
    script = tmp_path / "library.so"
    script.write_bytes(b"INPUT(-lm)\n")

    strip(script)

    assert script.read_bytes() == b"INPUT(-lm)\n"
