"""What else lies on shares."""

import gzip
import io
import tarfile
import wave
import zipfile

from corpus.cases import bad, unsupported
from corpus.draw import deflated_zeros

BINARY = "application/octet-stream"


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1 << 26))
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../../etc/passwd"))
    return file.getvalue()


def tone() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return file.getvalue()


DOCUMENTS = (
    bad("documents/empty", "EMPTY", lambda: b""),
    unsupported("documents/one-byte", "text/plain", lambda: b"\n"),
    unsupported("documents/zeros", BINARY, lambda: bytes(1 << 20)),
    unsupported("documents/program", "application/x-executable", lambda: b"\x7fELF\x02\x01\x01" + bytes(57)),
    unsupported("documents/program.exe", BINARY, lambda: b"MZ\x90\0\x03" + bytes(59)),
    unsupported("documents/script.sh", "text/plain", lambda: b"#!/bin/sh\nrm -rf /\n"),
    unsupported("documents/page.html", "text/plain", lambda: b"<!DOCTYPE html><svg onload=alert(1)>"),
    unsupported("documents/entities.xml", "text/plain", lambda: b'<!DOCTYPE a [<!ENTITY b "&b;&b;">]><a>&b;</a>'),
    unsupported("documents/bomb.zip", "application/zip", zip_bomb),
    unsupported("documents/bomb.gz", "application/gzip", lambda: gzip.compress(deflated_zeros(1 << 26))),
    unsupported("documents/outside.tar", "application/x-tar", archive),
    unsupported("documents/tone.wav", "audio/wav", tone),
    unsupported("documents/tone.flac", "audio/flac", lambda: b"fLaC\0\0\0\x22" + bytes(34)),
    unsupported("documents/film.mp4", "video/mp4", lambda: b"\0\0\0\x18ftypisom" + bytes(100)),
    unsupported("documents/surrogates.txt", "text/plain", lambda: b"\xed\xa0\x80 no UTF-8"),
)
