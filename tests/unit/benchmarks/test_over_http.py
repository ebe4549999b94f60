"""Servers side by side."""

import json
import os
import sys
from pathlib import Path

import pytest
from aiohttp import web
from bench import asking, over_http
from bench.loads import Load, Running, running
from bench.networks import network, tiny
from bench.over_http import QUIET, Turn
from bench.processor import family
from bench.servers import OURS, PACKAGES, Question, Server, material, peer_version

from support.web import free_port, serving

ECHO = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", int(sys.argv[1])), Echo).serve_forever()
"""


def echo(folder: Path, program: str = ECHO) -> Server:
    body, port = folder / "body", free_port()
    body.write_bytes(b"question")
    return Server("echo", "1", [sys.executable, "-c", program, str(port)], {}, port, Question("/", body, {"A": "b"}))


async def test_a_server_is_asked_and_ends(tmp_path: Path) -> None:
    async with running(echo(tmp_path), tmp_path / "echo.log") as server:
        assert server.answer == b"question"
        assert server.pid in family(os.getpid())
        load = await server.load(1, 0.2)
        assert load.rate > 0
        assert 0 < load.p50 <= load.p99
    assert server.pid not in family(os.getpid())


async def test_a_server_that_ends_by_itself_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"echo has ended or does not answer: .*echo\.log"):
        async with running(echo(tmp_path, "raise SystemExit('no')"), tmp_path / "echo.log"):
            pass
    assert (tmp_path / "echo.log").read_text() == "no\n"


def test_an_answer_that_is_none_is_an_error() -> None:
    with serving(web.Application()) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(RuntimeError, match="answers 404"):
            asking.posts(port, "/", b"", {})()


def test_every_client_asks_until_the_time_is_over() -> None:
    asked = [0, 0]

    def ask(which: int) -> None:
        asked[which] += 1

    said = asking.measure([lambda: ask(0), lambda: ask(1)], 0.05)
    assert said["answers"] == sum(asked)
    assert all(asked)
    assert said["seconds"] >= 0.05


def test_a_client_that_comes_late_asks_once() -> None:
    assert asking.measure([lambda: None], 0)["answers"] == 1


def test_the_protocols_question_has_the_sample_behind_its_head(tmp_path: Path) -> None:
    given = material(tmp_path / "given", *tiny())
    question = given.question("/infer")
    body = question.body.read_bytes()
    head, tensor = body[: (length := int(question.headers["Inference-Header-Content-Length"]))], body[length:]
    [about] = json.loads(head)["inputs"]
    assert about["parameters"]["binary_data_size"] == len(tensor) == 4 * 3 * 224 * 224
    assert tensor == given.sample.read_bytes()


async def test_other_scores_than_onnxruntimes_are_refused(tmp_path: Path) -> None:
    graph, contract = network("squeezenet")
    given = material(tmp_path / "given", graph, contract)
    with pytest.raises(RuntimeError, match="echo gives other scores"):
        over_http.check(given, [Running(echo(tmp_path), 1, bytes(4000))])


def a_turn(rate: float, others: float = 0.0) -> Turn:
    """Beside 200 runs a second of onnxruntime alone."""
    return Turn(Load(200, 5, 5, 5, 0), {1: Load(rate / 2, 6, 9, 10, 0), 8: Load(rate, 40, 80, 8, others)})


def test_ours_is_compared_with_the_best() -> None:
    turns = {
        OURS: [a_turn(150), a_turn(160), a_turn(10, others=QUIET)],
        "fastapi": [a_turn(100)],
        "litserve": [a_turn(50)],
    }
    versions = {OURS: "0", "fastapi": "1", "litserve": "2", "pytriton": "3"}
    found = over_http.findings(turns, versions)
    assert found.figures == {"http_ratio": 0.775, "best_peer_ratio": 1.55}
    assert [row["server"] for row in found.rows] == [*versions]
    assert found.rows[0]["a second, 1"] == 77.5
    assert found.rows[0]["by CPU"] == 0.625
    assert {found.rows[3][column] for column in found.rows[0]} == {"pytriton", "3", "null"}


def test_without_a_peer_there_is_no_best_one() -> None:
    assert over_http.findings({OURS: [a_turn(100)]}, {OURS: "0"}).figures == {"http_ratio": 0.5}


@pytest.mark.parametrize("peer", PACKAGES)
def test_every_peer_is_pinned(peer: str) -> None:
    assert peer_version(peer)[0].isdigit()
