"""Manifests for every target, from the suite's own template."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.manifest import expanded
from edge_simulator.manifest import ManifestError, options
from edge_simulator.manifest.checking import check

TEMPLATE = Path(__file__).parents[3] / "deployment.template.json"
PLACES = [("vm", "amd64"), ("vm", "amd64.gpu"), ("vm", "arm64"), ("cpu", "amd64"), ("cpu", "arm64")]
PLACES += [("k8s-legacy", "amd64"), ("k8s-legacy", "amd64.gpu")]


def manifest(target: str, platform: str, **env: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(expanded(TEMPLATE, target, platform, env, None).text)["modulesContent"]
    return content


def modules(content: dict[str, Any]) -> dict[str, Any]:
    entries: dict[str, Any] = content["$edgeAgent"]["properties.desired"]["modules"]
    return entries


def create_options(content: dict[str, Any], module: str) -> dict[str, Any]:
    return dict(options.join(modules(content)[module]["settings"]))


@pytest.mark.parametrize(("target", "platform"), PLACES)
def test_nothing_is_wrong_with_what_is_made_for_any_target(tmp_path: Path, target: str, platform: str) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(expanded(TEMPLATE, target, platform, {}, None).text, encoding="utf-8")
    assert check(path, {}, platform) == []


@pytest.mark.parametrize(("target", "platform"), PLACES)
def test_every_target_has_the_same_modules_routes_and_environment(target: str, platform: str) -> None:
    content, template = manifest(target, platform), manifest("vm", "amd64")
    assert content["$edgeHub"] == template["$edgeHub"]
    assert {name: entry["env"] for name, entry in modules(content).items()} == {
        name: entry["env"] for name, entry in modules(template).items()
    }


def test_a_gpu_takes_its_image_and_runtime_and_is_insisted_on() -> None:
    content = manifest("vm", "amd64.gpu")
    images = {name: entry["settings"]["image"].rpartition("-")[2] for name, entry in modules(content).items()}
    assert images == {"ingest": "amd64", "transform": "amd64", "upload": "amd64", "inference": "amd64.gpu"}
    assert create_options(content, "inference")["HostConfig"]["Runtime"] == "nvidia"
    assert content["inference"]["properties.desired"] == {"requireGpu": True}


def test_a_host_without_a_gpu_is_asked_for_none() -> None:
    content = manifest("cpu", "arm64")
    assert content["inference"]["properties.desired"] == {"requireGpu": False, "providers": ["CPUExecutionProvider"]}
    vm = create_options(manifest("vm", "arm64"), "inference")
    assert vm["HostConfig"].pop("Runtime") == "runc"
    assert create_options(content, "inference") == vm


def test_under_kubernetes_shares_of_the_appliance_are_mounted_by_name() -> None:
    content = manifest("k8s-legacy", "amd64.gpu", LOCAL_SHARE="plant-images")
    assert create_options(content, "inference") == {
        "HostConfig": {
            "Memory": 4 << 30,
            "Mounts": [
                {"Type": "volume", "Source": "models", "Target": "/data/models", "ReadOnly": True},
                {"Type": "volume", "Source": "trust", "Target": "/data/trust", "ReadOnly": True},
                {"Type": "volume", "Source": "inference-state", "Target": "/data/state"},
                {"Type": "volume", "Source": "tensors", "Target": "/tensors", "ReadOnly": True},
            ],
        },
        "k8s-experimental": {
            "securityContext": {"runAsUser": "10003", "runAsGroup": "10000", "fsGroup": "10000"},
            "resources": {"limits": {"nvidia.com/gpu": 1}},
            "strategy": {"type": "Recreate"},
        },
    }
    share = {"Type": "volume", "Source": "plant-images", "Target": "/data/share"}
    assert share in create_options(content, "ingest")["HostConfig"]["Mounts"]
    assert "resources" not in create_options(content, "ingest")["k8s-experimental"]
    agent = content["$edgeAgent"]["properties.desired"]["systemModules"]
    assert agent["edgeAgent"]["settings"]["image"].endswith(":1.1")
    assert "5671/tcp" in options.join(agent["edgeHub"]["settings"])["HostConfig"]["PortBindings"]


@pytest.mark.parametrize(("target", "platform"), [("cpu", "amd64.gpu"), ("vm", "arm64.gpu")])
def test_a_gpu_where_there_is_no_image_for_it_is_refused(target: str, platform: str) -> None:
    with pytest.raises(ManifestError, match="no image with CUDA"):
        manifest(target, platform)
