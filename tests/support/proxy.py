"""An HTTP proxy in a thread of its own, which leads to one place.

It tunnels (CONNECT, https://www.rfc-editor.org/rfc/rfc9110#CONNECT) and forwards what is asked in absolute form
(https://www.rfc-editor.org/rfc/rfc9112#absolute-form), one request a connection.
"""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_OF_THE_HOP = (b"connection:", b"proxy-")


class _Proxy(socketserver.ThreadingTCPServer):
    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.target = target
        self.asked: list[str] = []


class _Exchange(socketserver.StreamRequestHandler):
    server: _Proxy
    rbufsize = 0  # what follows the head is pumped

    def handle(self) -> None:
        line = self.rfile.readline().decode().strip()
        if not line:  # the client has thought better of it
            return
        self.server.asked.append(line)
        headers = [*iter(lambda: self.rfile.readline().strip(), b"")]
        with socket.create_connection(self.server.target) as far:
            if line.startswith("CONNECT "):
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                far.sendall(_head(line, headers))
            back = threading.Thread(target=_pump, args=(far, self.connection))
            back.start()
            _pump(self.connection, far)
            back.join()


def _head(line: str, headers: list[bytes]) -> bytes:
    """A request as its host wants it."""
    method, target, version = line.split()
    origin = urlsplit(target)._replace(scheme="", netloc="").geturl()
    kept = [header for header in headers if not header.lower().startswith(_OF_THE_HOP)]
    return b"\r\n".join([f"{method} {origin} {version}".encode(), *kept, b"Connection: close", b"", b""])


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either end may be gone already
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def proxying(target: tuple[str, int]) -> Iterator[tuple[str, list[str]]]:
    """A proxy that leads to one place, whatever it is asked for: its address, and what it was asked for."""
    with _Proxy(target) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
        finally:
            server.shutdown()
            thread.join()
