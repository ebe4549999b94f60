"""A hub that has too much to do: it is asked again when it says so, as the SDK by itself does not."""

import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from threading import Thread

import pytest

from edge_mlops.errors import ChangedError, HubError
from edge_mlops.rollout.fleet import Mark, ModuleTwin
from edge_mlops.rollout.hub import PAUSES_S, HubFleet
from support.simulator import edge_environment
from support.tls import ServerTls

TWIN = ModuleTwin("edge-1", "AAAA", connected=True, model=None, reported={})


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    content: object = ()
    retry_after: str = ""


class Server(ThreadingHTTPServer):
    """Gives answers in turn, the last one for ever."""

    def __init__(self, answers: Sequence[Answer], tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = chain(answers, repeat(answers[-1]))
        self.socket = tls.wrap_socket(self.socket, server_side=True)


class Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        assert isinstance(self.server, Server)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = next(self.server.answers)
        self.send_response(answer.status)
        if answer.retry_after:
            self.send_header("Retry-After", answer.retry_after)
        self.end_headers()
        self.wfile.write(json.dumps(answer.content).encode())

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hub(folder: Path, *answers: Answer) -> Iterator[tuple[HubFleet, list[float]]]:
    """A hub that answers so; and the pauses that it was given."""
    tls = ServerTls.make(folder / "tls")
    pauses: list[float] = []
    with Server(answers, tls.context()) as server, edge_environment({"REQUESTS_CA_BUNDLE": str(tls.certificate)}):
        thread = Thread(target=server.serve_forever)
        thread.start()
        secret = f"HostName=127.0.0.1:{server.server_port};SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0"
        try:
            yield HubFleet(secret, "inference", pauses.append), pauses
        finally:
            server.shutdown()
            thread.join()


def test_a_throttled_query_is_asked_again_when_the_hub_says(tmp_path: Path) -> None:
    with hub(
        tmp_path, Answer(429, retry_after="7"), Answer(429), Answer(503), Answer(200, [{"deviceId": "edge-1"}])
    ) as (fleet, pauses):
        assert fleet.devices("tags.ring = 0") == ["edge-1"]
    assert pauses == [7, *PAUSES_S[1:3]]


def test_a_throttled_update_is_done_once_the_hub_takes_it(tmp_path: Path) -> None:
    with hub(tmp_path, Answer(429, retry_after="1"), Answer(200, {"deviceId": "edge-1"})) as (fleet, pauses):
        fleet.update(TWIN, {"name": "pets"}, Mark("one", 0))
    assert pauses == [1]


def test_an_update_that_was_done_though_the_hub_failed_is_found_to_have_changed_the_twin(tmp_path: Path) -> None:
    with hub(tmp_path, Answer(500), Answer(412)) as (fleet, _), pytest.raises(ChangedError):
        fleet.update(TWIN, {"name": "pets"}, Mark("one", 0))


def test_patience_has_an_end(tmp_path: Path) -> None:
    with (
        hub(tmp_path, Answer(429)) as (fleet, pauses),
        pytest.raises(HubError, match="IoT Hub answered 429"),
    ):
        fleet.twin("edge-1")
    assert pauses == [*PAUSES_S]


def test_what_the_hub_forbids_is_not_asked_again(tmp_path: Path) -> None:
    with hub(tmp_path, Answer(401)) as (fleet, pauses), pytest.raises(HubError, match="401"):
        fleet.twin("edge-1")
    assert not pauses


def test_a_hub_out_of_reach_is_asked_again(tmp_path: Path) -> None:
    with hub(tmp_path, Answer(500)) as (fleet, pauses):
        pass
    with pytest.raises(HubError, match="cannot be reached"):
        fleet.devices("tags.ring = 0")
    assert pauses == [*PAUSES_S]
