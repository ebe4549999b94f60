"""An HTTP proxy that tunnels (CONNECT, https://www.rfc-editor.org/rfc/rfc9110#CONNECT) in a thread of its own."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Tunnels(socketserver.ThreadingTCPServer):
    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.target = target
        self.asked: list[str] = []


class _Tunnel(socketserver.StreamRequestHandler):
    server: _Tunnels

    def handle(self) -> None:
        self.server.asked.append(self.rfile.readline().decode().strip())
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(self.server.target) as far:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(far, self.connection))
            back.start()
            _pump(self.connection, far)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # either end may be gone already
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tunnelling(target: tuple[str, int]) -> Iterator[tuple[str, list[str]]]:
    """A proxy that leads to one place, whatever it is asked for: its address, and what it was asked for."""
    with _Tunnels(target) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", server.asked
        finally:
            server.shutdown()
            thread.join()
