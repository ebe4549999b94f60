"""The pipeline of Azure Machine Learning, run whole: every step's command as it stands, on folders."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_inference.cli import main as model_main
from edge_inference.layout import entries
from support.azureml import Cloud, Pipeline, StepFailedError
from support.datasets import Digits
from support.identity import IdentityEndpoint
from support.registry import RegistryServer, running_registry
from support.signers import LEAF, ROOT
from support.tls import ServerTls

WORKSPACE = {
    "AZUREML_ARM_SUBSCRIPTION": "00000000-0000-0000-0000-000000000000",
    "AZUREML_ARM_RESOURCEGROUP": "plant",
    "AZUREML_ARM_WORKSPACE_NAME": "lab",
}
LENIENT = '{"precision": 0.5, "maxLatencyRatio": 1000}'


@pytest.fixture
def tls(tmp_path: Path) -> ServerTls:
    return ServerTls.make(tmp_path / "tls")


@pytest.fixture
def registry(tmp_path: Path, tls: ServerTls) -> Iterator[RegistryServer]:
    with running_registry(tmp_path / "registry", tls=tls) as server:
        yield server


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def pipeline(
    digits: Digits, cloud: Cloud, registry: RegistryServer, tls: ServerTls, tmp_path: Path
) -> Iterator[Pipeline]:
    """Its datastores hold what upload stored, and what the pipeline is told."""
    key, chain = LEAF.write(tmp_path / "signer")
    cloud.secret = key.read_text()
    shutil.copytree(digits.store.cloud, tmp_path / "edge_results")
    folder = tmp_path / "edge_mlops/pets"
    folder.mkdir(parents=True)
    shutil.copy(digits.wish, folder / "contract.json")
    shutil.copy(digits.store.root / "labels.csv", folder)
    shutil.copy(chain, folder / "chain.pem")
    with cloud.running(tls.context()) as azure, IdentityEndpoint().running():
        identity = {name: os.environ[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")}
        trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(tls.certificate))
        environment = {**WORKSPACE, **identity, **trust, "AZUREML_DEV_URL_MFE": azure, "HOME": str(tmp_path)}
        inputs = {"target": f"{registry.host}/models/pets", "key": f"{azure}/secrets/signer"}
        yield Pipeline(tmp_path, environment, gate=gate(tmp_path, LENIENT), **inputs)


def gate(folder: Path, text: str) -> dict[str, str]:
    (folder / "gate.json").write_text(text)
    return {"type": "uri_file", "path": str(folder / "gate.json")}


@pytest.mark.timeout(600)  # some dozen processes, one after the other
def test_it_makes_publishes_and_registers_a_version_and_the_gate_stops_it(
    pipeline: Pipeline, cloud: Cloud, registry: RegistryServer, tls: ServerTls, tmp_path: Path
) -> None:
    outputs = pipeline.run()
    published = (outputs["publish"] / "published/reference").read_text().strip()
    layout = outputs["publish"] / "published/layout"
    assert published == f"{registry.host}/models/pets@{entries(layout)[0].digest}"
    roots = str(ROOT.pin(tmp_path / "roots"))
    for place in ([published, "--ca", str(tls.certificate)], [str(layout), "pets:1"]):
        verified = CliRunner().invoke(model_main, ["verify", *place, "--roots", roots])
        assert verified.exit_code == 0, verified.output
    shown = CliRunner().invoke(model_main, ["inspect", f"{registry.host}/models/pets:1", "--ca", str(tls.certificate)])
    assert shown.output.startswith(f"1  {published.partition('@')[2]}")

    ((name, model),) = cloud.models.items()
    assert name == ("pets", "1")
    assert model["properties"]["modelType"] == "custom_model"
    assert model["properties"]["tags"].items() >= {"reference": published, "dataset": "pets:1"}.items()
    uri = "datastores/workspaceblobstore/paths/run-1/publish/outputs/published/layout"
    assert model["properties"]["modelUri"].endswith(uri)

    gate(tmp_path, '{"precision": 1}')
    with pytest.raises(StepFailedError, match=r"evaluate: (.|\n)*it does not pass: its precision is"):
        pipeline.run()
    assert (tmp_path / "run-2/evaluate/outputs/run/evaluation.html").is_file()
    assert not (tmp_path / "run-2/package").exists()
    state = tmp_path / "edge_mlops/pets"
    assert [path.name for path in (state / "datasets/pets").iterdir()] == ["1"]
    assert len([*(state / "runs").iterdir()]) == 1
    verdict = json.loads((tmp_path / "run-2/evaluate/outputs/run/evaluation.json").read_text())
    assert verdict["reference"] == "pets:1"
