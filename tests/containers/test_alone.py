"""The inference image without IoT Edge, as a cluster runs it: a signed model, HTTP, and no needless right."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import docker
import httpx
import pytest
from docker.models.containers import Container

from edge_examples.packages import publish
from edge_examples.trust import ROOTS
from support.containers import image
from support.models import contract, graph
from support.web import free_port
from support.web_client import INFER, request, until

pytestmark = pytest.mark.containers


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a pod is told."""
    models, trust, secrets = (tmp_path / name for name in ("models", "trust", "secrets"))
    reference = publish(graph().SerializeToString(), contract(), models, trust, "teller", "1")
    secrets.mkdir()
    (secrets / "token").write_text("sesame")
    wanted = {"schema": 1, "name": "teller", "version": "1", "ref": reference}
    return {
        "STATE_DIR": "/data/state",
        "MODEL_DIR": "/data/models",
        "TENSOR_DIR": "/tensors",
        "TRUST_ROOTS": "/data/trust",
        "HTTP_PORT": "8080",
        "HTTP_TOKEN_FILE": "/secrets/token",
        "TWIN": json.dumps({"model": wanted}),
    }


@contextmanager
def running(
    client: docker.DockerClient, folder: Path, environment: Mapping[str, str], port: int
) -> Iterator[Container]:
    binds = {folder / "models": "/data/models", folder / "trust" / ROOTS: "/data/trust", folder / "secrets": "/secrets"}
    container = client.containers.run(
        image(client, "inference"),
        detach=True,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        mem_limit="1g",
        tmpfs={"/tmp": "size=64m", "/data/state": "uid=10003,gid=10000,mode=0750"},  # noqa: S108 - the container's own
        volumes={str(path): {"bind": inside, "mode": "ro"} for path, inside in binds.items()},
        ports={"8080/tcp": ("127.0.0.1", port)},
        environment=dict(environment),
    )
    try:
        yield container
    finally:
        container.remove(force=True)


async def test_it_serves_a_signed_model_to_who_has_the_token(
    client: docker.DockerClient, tmp_path: Path, environment: dict[str, str]
) -> None:
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as asked:
        with running(client, tmp_path, environment, port) as container:
            await until(asked, "/v2/health/ready", lambda response: response.status_code == 200)
            assert (await asked.post(INFER, json=request(2))).status_code == 401
            answer = await asked.post(INFER, json=request(2), headers={"Authorization": "Bearer sesame"})
            assert answer.json()["outputs"][0]["data"] == [-2, 2]
            container.stop(timeout=10)
            assert container.wait()["StatusCode"] == 0


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("HTTP_TOKEN_FILE", "lets in anybody: set HTTP_TOKEN_FILE"),
        ("TWIN", "no IoT Edge environment, and no TWIN"),
        ("HTTP_PORT", "no IoT Edge environment"),
    ],
)
def test_it_says_what_is_missing(
    client: docker.DockerClient, tmp_path: Path, environment: dict[str, str], missing: str, sentence: str
) -> None:
    del environment[missing]
    with running(client, tmp_path, environment, free_port()) as container:
        assert container.wait()["StatusCode"] == 78
        said = container.logs().decode()
        assert sentence in said
        assert "Traceback" not in said
