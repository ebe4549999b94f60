"""The online endpoint: the inference module as its deployment starts it, asked on the deployment's routes."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import yaml

from edge_inference import layout as layouts
from edge_inference.signing.signer import Signer
from support.azureml import FOLDER
from support.models import contract, write_model
from support.signers import LEAF, ROOT
from support.web import free_port
from support.web_client import request, until


async def test_a_deployment_answers_on_its_routes_with_a_signed_model(tmp_path: Path) -> None:
    mount = tmp_path / "models/pets/1"
    reference = layouts.pack(write_model(tmp_path / "files", contract()), mount / "layout", "pets", "1")
    digest = reference.partition("@")[2]
    layouts.sign(mount / "layout", digest, Signer.read(*LEAF.write(tmp_path / "signer")), datetime.now(UTC))
    deployment = yaml.safe_load((FOLDER / "deployment.yml").read_text())
    given = deployment["environment_variables"]
    here = {
        "MODEL_DIR": str(mount),
        "STATE_DIR": str(tmp_path / "state"),
        "TENSOR_DIR": str(tmp_path),
        "TRUST_ROOTS": str(ROOT.pin(tmp_path / "roots")),
        "HTTP_PORT": str(free_port()),
        "HTTP_ADDRESS": "127.0.0.1",
        "METRICS_PORT": str(free_port()),
        "METRICS_ADDRESS": "127.0.0.1",
        "TWIN": given["TWIN"].replace("sha256:" + "0" * 64, digest),
    }
    assert here["TWIN"] != given["TWIN"]
    command = (sys.executable, "-W", "error", "-m", "edge_inference")
    environment = {"PATH": os.environ["PATH"], **given, **here}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)
    try:
        routes = deployment["environment"]["inference_config"]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{here['HTTP_PORT']}", timeout=60) as asked:
            await until(asked, routes["readiness_route"]["path"], lambda response: response.status_code == 200)
            assert (await asked.get(routes["liveness_route"]["path"])).status_code == 200
            response = await asked.post(routes["scoring_route"]["path"], json=request(2))
            assert response.json()["outputs"][0]["data"] == [-2, 2]
    finally:
        process.terminate()
        await process.wait()
