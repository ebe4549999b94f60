"""What networks, proxies and bad registries do to a pull: it comes through, or it is refused with the right code."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from edge_common.messages import ModelIdentity
from edge_inference.errors import (
    AuthError,
    DigestMismatchError,
    ModelError,
    NoSpaceError,
    NotFoundError,
    UnreachableError,
    UnsafeModelError,
)
from edge_inference.layout import pack
from edge_inference.package import Descriptor, digest_of, read_manifest
from edge_inference.patience import Patience
from edge_inference.registry.http import retry_after
from edge_inference.registry.registries import RegistrySource
from edge_inference.registry.repository import Repository
from edge_inference.sources import LayoutSource
from edge_inference.store import Allowance, ModelStore
from edge_inference.transfer import push
from support.faults import Answer, Fault, FaultyRegistry, broken_after, changed, redirect, status, unauthorized, whole
from support.models import contract, write_model
from support.registry import RegistryServer, bearer, docker_config, htpasswd, repository, running_registry
from support.tls import ServerTls
from support.tokens import SERVICE, TokenServer

SIZE = 300_000
ALLOWED = Allowance(package=1 << 20, total=4 << 20)


class Time:
    """Passes by waiting."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds + 0.001


class Pull:
    """A package in a registry, seen through a proxy that spoils its largest blob."""

    def __init__(self, folder: Path, faulty: FaultyRegistry, source: RegistrySource) -> None:
        self.time = Time()
        self.root = folder / "store"
        self.patience = Patience(seconds=60, monotonic=lambda: self.time.now)
        self.faulty = faulty
        self.source = source
        self.store = ModelStore(self.root, self.patience)

    def run(self, *faults: Fault, allowed: Allowance = ALLOWED) -> None:
        self.faulty.faults.extend(faults)
        wanted = ModelIdentity(name="teller", version="1", digest=self.source.digest)
        self.store.admit(wanted, self.source, allowed, self.time.wait)

    @property
    def ranges(self) -> list[str | None]:
        """What was asked for of the spoilt blob, request by request."""
        return [headers.get("Range") for headers in self.faulty.seen]

    @property
    def whole(self) -> bool:
        return self.store.holds(self.source.digest)

    def left(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file()]


def publish(folder: Path, teller: Repository) -> tuple[str, Descriptor]:
    """Push a package; its digest and its largest blob."""
    files = write_model(folder / "files", contract())
    (files / "weights.bin").write_bytes(bytes(range(250)) * (SIZE // 250))
    digest = pack(files, folder / "layout", "teller", "1").partition("@")[2]
    source = LayoutSource(folder / "layout", digest)
    push(source, teller, "1", Patience(5), lambda _seconds: None)
    return digest, read_manifest(source.manifest()).files["weights.bin"]


@contextmanager
def pulling(folder: Path, server: RegistryServer, **login: str) -> Iterator[Pull]:
    """Publish a package, and get ready to pull it through a proxy."""
    with repository(server.base, credentials=docker_config(folder / "push.json", server.host, **login)) as teller:
        digest, blob = publish(folder, teller)
    faulty = FaultyRegistry(server.base, blob.digest)
    with faulty.running() as base:
        config = docker_config(folder / "pull.json", base.partition("//")[2], **login)
        with repository(base, credentials=config) as teller:
            yield Pull(folder, faulty, RegistrySource(teller, digest))


@pytest.fixture
def pull(tmp_path: Path, registry_server: RegistryServer) -> Iterator[Pull]:
    with pulling(tmp_path, registry_server) as pull:
        yield pull


def test_a_broken_connection_is_gone_on_with(pull: Pull) -> None:
    pull.run(broken_after(100_000), broken_after(150_000))
    assert pull.whole
    assert pull.ranges == [None, "bytes=100000-", "bytes=250000-"]


def test_what_came_survives_a_restart(pull: Pull) -> None:
    with pytest.raises(UnreachableError):
        pull.run(broken_after(100_000), *[status(503)] * 100)
    asked = len(pull.ranges)
    assert pull.time.now >= pull.patience.seconds
    pull.faulty.faults.clear()
    pull.store = ModelStore(pull.root, pull.patience)
    pull.run()
    assert pull.whole
    assert pull.ranges[asked:] == ["bytes=100000-"]


def test_as_long_as_it_moves_it_is_not_given_up(pull: Pull) -> None:
    steps: list[Fault] = []
    for _ in range(20):
        steps += [broken_after(10_000), *[status(503)] * 2]
    pull.run(*steps)
    assert pull.whole
    assert pull.time.now > pull.patience.seconds


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_waited_for(pull: Pull, code: int) -> None:
    pull.run(status(code), status(code))
    assert pull.whole


@pytest.mark.parametrize(("asked", "waited"), [("45", 45.0), ("3600", 60.0), ("soon", 0.0)])
def test_a_registry_that_wants_to_be_left_alone_is(pull: Pull, asked: str, waited: float) -> None:
    pull.run(status(503, Retry_After=asked))
    assert waited <= pull.time.now < waited + 1
    assert pull.whole


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 00:01:00", 0),
        ("-5", 0),
        ("", 0),
    ],
)
def test_how_long_a_registry_wants_to_be_left_alone(value: str, seconds: float) -> None:
    assert retry_after(value, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


def test_a_registry_without_ranges_is_read_from_the_beginning(pull: Pull, registry_server: RegistryServer) -> None:
    content = registry_server.blob(pull.faulty.spoilt).read_bytes()

    async def all_of_it(_request: web.Request, _answer: Answer) -> web.Response:
        return whole(Answer(200, {}, content))

    pull.run(broken_after(100_000), all_of_it)
    assert pull.whole
    assert pull.ranges == [None, "bytes=100000-"]


def test_a_range_that_is_refused_is_read_from_the_beginning(pull: Pull) -> None:
    pull.run(broken_after(100_000), status(416))
    assert pull.whole
    assert pull.ranges == [None, "bytes=100000-", None]


def test_a_damaged_beginning_is_read_again(pull: Pull) -> None:
    with pytest.raises(UnreachableError):
        pull.run(broken_after(100_000), *[status(503)] * 100)
    [partial] = pull.root.rglob("*.partial")
    partial.write_bytes(b"\0" * 50_000)
    pull.faulty.faults.clear()
    pull.run()
    assert pull.whole
    assert pull.ranges[-2:] == ["bytes=50000-", None]


def flip(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1])


def shorten(body: bytes) -> bytes:
    return body[:-1]


def lengthen(body: bytes) -> bytes:
    return body + b"more" * 1_000_000


def nothing(_body: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("change", [flip, shorten, lengthen, nothing])
def test_other_bytes_are_refused_and_leave_nothing(pull: Pull, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(DigestMismatchError):
        pull.run(changed(change))
    assert not pull.left()
    assert pull.time.now < 1


@pytest.mark.parametrize(
    ("code", "error"), [(401, AuthError), (403, AuthError), (404, NotFoundError), (400, NotFoundError)]
)
def test_what_is_refused_for_good_is_not_tried_again(pull: Pull, code: int, error: type[ModelError]) -> None:
    with pytest.raises(error) as refused:
        pull.run(status(code))
    assert not isinstance(refused.value, UnreachableError)
    assert len(pull.ranges) == 1
    assert not pull.left()


def test_a_redirect_without_end_is_given_up(pull: Pull) -> None:
    with pytest.raises(NotFoundError):
        pull.run(*[redirect("")] * 10)


def test_too_little_room_is_seen_before_anything_is_read(pull: Pull) -> None:
    with pytest.raises(NoSpaceError, match="maxStoreBytes"):
        pull.run(allowed=Allowance(1 << 20, 200_000))
    assert not pull.ranges


def test_a_tag_that_moved_is_no_matter(pull: Pull, tmp_path: Path, registry_server: RegistryServer) -> None:
    with repository(registry_server.base) as teller:
        (tmp_path / "files" / "labels.txt").write_text("other")
        moved = pack(tmp_path / "files", tmp_path / "layout", "teller", "1").partition("@")[2]
        push(LayoutSource(tmp_path / "layout", moved), teller, "1", Patience(), lambda _seconds: None)
        assert moved != pull.source.digest
    pull.run()
    assert pull.whole


def test_an_index_is_no_package(pull: Pull, registry_server: RegistryServer) -> None:
    index = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}'
    with repository(registry_server.base) as teller:
        teller.put_manifest("index", index, "application/vnd.oci.image.index.v1+json")
        wanted = ModelIdentity(name="teller", version="1", digest=digest_of(index))
        with pytest.raises(UnsafeModelError):
            pull.store.admit(wanted, RegistrySource(teller, wanted.digest), ALLOWED, pull.time.wait)


def test_credentials_stay_with_the_registry(tmp_path: Path, registry_server: RegistryServer) -> None:
    """As in cloud registries, whose blobs are in a storage elsewhere."""
    with repository(registry_server.base) as teller:
        _, blob = publish(tmp_path, teller)
    storage = FaultyRegistry(registry_server.base, blob.digest, deque([broken_after(100_000)]))
    with (
        running_registry(tmp_path / "registry", htpasswd(tmp_path)) as server,
        pulling(tmp_path, server, username="user", password="secret") as pull,
        storage.running() as elsewhere,
    ):
        pull.run(redirect(elsewhere), redirect(elsewhere))
        assert pull.whole
    assert [headers.get("Range") for headers in storage.seen] == [None, "bytes=100000-"]
    assert all("Authorization" in headers for headers in pull.faulty.seen)
    assert not any("Authorization" in headers for headers in storage.seen)


def test_what_another_host_asks_for_is_not_answered(tmp_path: Path, registry_server: RegistryServer) -> None:
    with repository(registry_server.base) as teller:
        _, blob = publish(tmp_path, teller)
    storage = FaultyRegistry(registry_server.base, blob.digest, deque([unauthorized('Basic realm="mine"')] * 2))
    with (
        running_registry(tmp_path / "registry", htpasswd(tmp_path)) as server,
        pulling(tmp_path, server, username="user", password="secret") as pull,
        storage.running() as elsewhere,
        pytest.raises(AuthError),
    ):
        pull.run(redirect(elsewhere))
    assert len(storage.seen) == 1


def test_a_token_that_ends_mid_pull_is_renewed(tmp_path: Path) -> None:
    tokens = TokenServer(ServerTls.make(tmp_path / "tls"))
    with (
        tokens.running() as url,
        running_registry(tmp_path / "registry", bearer(f"{url}/token", tokens.signer)) as server,
        pulling(tmp_path, server, username="user", password="secret") as pull,
    ):
        before = len(tokens.asked)
        pull.run(broken_after(100_000), unauthorized(f'Bearer realm="{url}/token",service="{SERVICE}"'))
        assert pull.whole
    assert pull.ranges == [None, "bytes=100000-", "bytes=100000-"]
    assert tokens.asked[before:] == ["repository:models/teller:pull"] * 2
