"""Who we are to registries: the real one with passwords, with tokens, over TLS, and what is read from files."""

import base64
import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from edge_inference.errors import AuthError, ModelError, NotFoundError
from edge_inference.registry.auth import Doorkeeper
from edge_inference.registry.challenges import read_challenge
from edge_inference.registry.credentials import DockerConfig, Login, RefreshToken
from edge_inference.registry.entra import EntraExchange, identity_token
from edge_inference.registry.http import open_client
from edge_inference.registry.names import RegistryName
from edge_inference.registry.repository import Repository
from support.identity import IdentityEndpoint
from support.registry import RegistryServer, bearer, docker_config, htpasswd, repository, running_registry
from support.tls import ServerTls
from support.tokens import IDENTITY_TOKEN, REFRESH_TOKEN, TokenServer
from support.web import free_port, serving


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


GOOD = basic("user", "secret")


def ask(teller: Repository) -> None:
    """Reading and writing: both find nothing where they may look, and raise AuthError where they may not."""
    assert not teller.holds("blobs", "sha256:" + "0" * 64)
    with pytest.raises(NotFoundError):
        teller.manifest("none")


def test_a_password_opens_what_nothing_else_does(tmp_path: Path) -> None:
    with running_registry(tmp_path, htpasswd(tmp_path)) as server:
        right = docker_config(tmp_path / "right.json", server.host, auth=GOOD)
        wrong = docker_config(tmp_path / "wrong.json", server.host, auth=basic("user", "guess"))
        other = docker_config(tmp_path / "other.json", "elsewhere:5000", auth=GOOD)
        with repository(server.base, credentials=right) as teller:
            ask(teller)
        for refused in (wrong, other, None):
            with repository(server.base, credentials=refused) as teller, pytest.raises(AuthError):
                teller.manifest("none")


def test_credentials_that_are_replaced_are_used(tmp_path: Path) -> None:
    with running_registry(tmp_path, htpasswd(tmp_path)) as server:
        path = docker_config(tmp_path / "config.json", server.host, username="user", password="guess")
        with repository(server.base, credentials=path) as teller:
            with pytest.raises(AuthError):
                ask(teller)
            docker_config(path, server.host, username="user", password="secret")
            ask(teller)


def test_tls_needs_a_trusted_certificate(tmp_path: Path) -> None:
    tls = ServerTls.make(tmp_path / "tls")
    with running_registry(tmp_path, tls=tls) as server:
        with repository(server.base, ca=tls.certificate) as teller:
            ask(teller)
        with repository(server.base) as teller, pytest.raises(AuthError, match="not trusted"):
            teller.manifest("none")


def test_a_redirect_out_of_tls_is_not_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    async def lead_away(request: web.Request) -> web.Response:
        asked.append(request.scheme)
        return web.Response(status=307, headers={"Location": f"http://127.0.0.1:{plain_port}{request.path}"})

    def application() -> web.Application:
        made = web.Application()
        made.router.add_route("*", "/{path:.*}", lead_away)
        return made

    tls = ServerTls.make(tmp_path / "tls")
    with serving(application()) as plain, serving(application(), tls.context()) as base:
        plain_port = plain.rpartition(":")[2]
        with repository(base, ca=tls.certificate) as teller, pytest.raises(NotFoundError, match="without TLS"):
            teller.manifest("1")
    assert asked == ["https"]


@pytest.mark.parametrize("end", ["403", "a circle", "nowhere", "no address"])
def test_an_address_with_a_signature_to_which_a_registry_leads_is_shown_nowhere(tmp_path: Path, end: str) -> None:
    """As Azure Container Registry leads to Blob Storage."""
    ends = {"nowhere": f"http://127.0.0.1:{free_port()}/?sig=hidden", "no address": "http://[?sig=hidden"}

    async def lead(request: web.Request) -> web.Response:
        if end == "403" and "sig" in request.query:
            return web.Response(status=403, text=f"{request.headers} {request.url}")
        return web.Response(status=307, headers={"Location": ends.get(end, f"{request.path}?sig=hidden")})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", lead)
    with serving(application) as base:
        config = docker_config(tmp_path / "config.json", base.partition("//")[2], auth=GOOD)
        with repository(base, credentials=config) as teller, pytest.raises(ModelError) as failed:
            teller.manifest("1")
    assert "hidden" not in "".join(traceback.format_exception(failed.value))


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenServer]:
    server = TokenServer(ServerTls.make(tmp_path / "tls"))
    with server.running():
        yield server


@pytest.fixture
def guarded(tmp_path: Path, tokens: TokenServer) -> Iterator[RegistryServer]:
    with running_registry(tmp_path / "registry", bearer(f"{tokens.url}/token", tokens.signer)) as server:
        yield server


@pytest.mark.parametrize("entry", [{"auth": GOOD}, {"identitytoken": REFRESH_TOKEN}])
def test_a_token_is_asked_for_once_for_each_repository_and_action(
    tmp_path: Path, tokens: TokenServer, guarded: RegistryServer, entry: dict[str, str]
) -> None:
    credentials = docker_config(tmp_path / "config.json", guarded.host, **entry)
    with repository(guarded.base, credentials=credentials) as teller:
        for _ in range(3):
            ask(teller)
    assert tokens.asked == ["repository:models/teller:pull,push", "repository:models/teller:pull"]


def test_a_token_that_expires_is_asked_for_again(tmp_path: Path, tokens: TokenServer, guarded: RegistryServer) -> None:
    tokens.expires_in = 0
    credentials = docker_config(tmp_path / "config.json", guarded.host, auth=GOOD)
    with repository(guarded.base, credentials=credentials) as teller:
        for _ in range(3):
            with pytest.raises(NotFoundError):
                teller.manifest("none")
    assert len(tokens.asked) == 3


@pytest.mark.parametrize("entry", [{"auth": basic("user", "guess")}, {"identitytoken": "guess"}, {}])
def test_no_token_without_credentials(tmp_path: Path, guarded: RegistryServer, entry: dict[str, str]) -> None:
    credentials = docker_config(tmp_path / "config.json", guarded.host, **entry)
    with repository(guarded.base, credentials=credentials) as teller, pytest.raises(AuthError, match="token"):
        teller.manifest("none")


def test_a_token_for_another_clock_time_is_not_kept() -> None:
    now = 0.0
    keeper = Doorkeeper(httpx.URL("https://registry.example"), DockerConfig(None), lambda: now)
    challenge = read_challenge(['Bearer realm="https://tokens.example/t",service="s"'])
    assert challenge
    asking = keeper.answer("scope", challenge)
    request = next(asking)
    assert request.url.params["scope"] == "scope"
    with pytest.raises(StopIteration) as ended:
        asking.send(httpx.Response(200, json={"token": "abc", "expires_in": 100}, request=request))
    assert ended.value.value == "Bearer abc"
    now = 79.0
    assert keeper.header("scope") == "Bearer abc"
    assert keeper.header("another") is None
    now = 81.0
    assert keeper.header("scope") is None


def test_credentials_are_not_sent_without_tls_where_the_registry_has_it(tmp_path: Path) -> None:
    config = docker_config(tmp_path / "config.json", "registry.example", auth=GOOD)
    keeper = Doorkeeper(httpx.URL("https://registry.example"), DockerConfig(config))
    challenge = read_challenge(['Bearer realm="http://tokens.example/t"'])
    assert challenge
    with pytest.raises(AuthError, match="not safe"):
        next(keeper.answer("scope", challenge))


def test_an_entra_identity_becomes_a_refresh_token(tmp_path: Path) -> None:
    tls = ServerTls.make(tmp_path / "tls")
    tokens = TokenServer(tls)
    with tokens.running(tls.context()) as base, open_client(tls.certificate) as http:
        host = base.partition("//")[2]
        domains = (host,)
        exchange = EntraExchange(DockerConfig(None), http, lambda: IDENTITY_TOKEN, domains)
        assert exchange(host) == RefreshToken(REFRESH_TOKEN)
        assert exchange("registry.example") is None
        config = docker_config(tmp_path / "config.json", host, auth=GOOD)
        assert EntraExchange(DockerConfig(config), http, lambda: "", domains)(host) == Login("user", "secret")
        with pytest.raises(AuthError, match="identity"):
            EntraExchange(DockerConfig(None), http, lambda: "stranger", domains)(host)


def test_a_managed_identity_s_token_is_what_is_exchanged(tmp_path: Path) -> None:
    tls, endpoint = ServerTls.make(tmp_path / "tls"), IdentityEndpoint()
    tokens = TokenServer(tls, identities=endpoint.tokens)
    with tokens.running(tls.context()) as base, open_client(tls.certificate) as http, endpoint.running():
        host = base.partition("//")[2]
        exchange = EntraExchange(DockerConfig(None), http, identity_token, (host,))
        assert exchange(host) == RefreshToken(REFRESH_TOKEN)
        assert endpoint.resources == ["https://containerregistry.azure.net"]
        endpoint.refuses = True
        with pytest.raises(AuthError, match="no Entra identity was found") as refused:
            exchange(host)
    shown = "".join(traceback.format_exception(refused.value))
    assert not [secret for secret in (endpoint.secret, *endpoint.tokens) if secret in shown]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"auth": GOOD}, Login("user", "secret")),
        ({"auth": basic("user", "a:b")}, Login("user", "a:b")),
        ({"username": "user", "password": "secret"}, Login("user", "secret")),
        ({"auth": GOOD, "identitytoken": "abc"}, RefreshToken("abc")),
        ({}, None),
    ],
)
def test_credentials_are_read_as_docker_writes_them(
    tmp_path: Path, entry: dict[str, str], found: Login | RefreshToken | None
) -> None:
    for key in ("registry.example", "https://registry.example", "https://registry.example/v1/"):
        config = DockerConfig(docker_config(tmp_path / "config.json", key, **entry))
        assert config("registry.example") == found
        assert config("other.example") is None


@pytest.mark.parametrize("text", ["", "[]", '{"auths": 7}', '{"auths": {"registry.example": {"auth": "%%%"}}}'])
def test_credentials_that_cannot_be_read_are_named_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(AuthError) as refused:
        DockerConfig(path)("registry.example")
    assert "%%%" not in str(refused.value)
    with pytest.raises(AuthError, match="No such file"):
        DockerConfig(tmp_path / "none")("registry.example")


def test_secrets_are_in_no_representation(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"auths": {"r.example": {"auth": GOOD}, "s.example": {"identitytoken": "secret"}}}))
    assert "secret" not in repr([DockerConfig(path)(host) for host in ("r.example", "s.example")])


@pytest.mark.parametrize(
    ("headers", "scheme", "parameters"),
    [
        (['Basic realm="r"'], "basic", {"realm": "r"}),
        (['BEARER realm="https://a/b",service="a, b" , scope=x'], "bearer",
         {"realm": "https://a/b", "service": "a, b", "scope": "x"}),
        (['Basic realm="r"', 'Bearer realm="t"'], "bearer", {"realm": "t"}),
    ],
)  # fmt: skip
def test_challenges_are_read(headers: list[str], scheme: str, parameters: dict[str, str]) -> None:
    challenge = read_challenge(headers)
    assert challenge
    assert (challenge.scheme, challenge.parameters) == (scheme, parameters)


@pytest.mark.parametrize("headers", [[], [""], ["Negotiate"], ["=,="]])
def test_what_is_no_challenge_is_none(headers: list[str]) -> None:
    assert read_challenge(headers) is None


def test_names_are_read() -> None:
    digest = "sha256:" + "a" * 64
    name = RegistryName.parse(f"localhost:5000/a/b:1.0@{digest}")
    assert name == RegistryName("localhost:5000", "a/b", "1.0", digest)
    assert name.reference == digest
    assert RegistryName.parse("registry.example/a").reference == "latest"
