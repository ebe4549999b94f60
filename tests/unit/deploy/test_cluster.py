"""The inference module alone on a cluster: what Kubernetes and KServe are given."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import ValidationError, validate

from deploy.manifest import TEMPLATE, expanded, written
from edge_inference.settings import InferenceEnvironment

VERSIONS = ("1.33", "1.35")
MODEL = {
    "CONTAINER_REGISTRY_SERVER": "plant.azurecr.io",
    "MODEL_NAME": "digits",
    "MODEL_VERSION": "1.0.0",
    "MODEL_REF": "plant.azurecr.io/models/digits@sha256:" + "0" * 64,
}
EXTENSION = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "deploymentStrategy"}
"""Of KServe's ComponentExtensionSpec (v1beta1); all else of a predictor is a PodSpec."""


@pytest.fixture(params=["amd64", "amd64.gpu"])
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def files(platform: str, env: Mapping[str, str] = MODEL) -> list[str]:
    return [*written("kubernetes", platform, env, None, Path("cluster.yaml")).values()]


def resources(platform: str) -> dict[str, Any]:
    """All of them, by kind."""
    return {each["kind"]: each for text in files(platform) for each in yaml.safe_load_all(text)}


def pods(platform: str) -> list[dict[str, Any]]:
    """What a pod is, for Kubernetes and for KServe."""
    all_ = resources(platform)
    predictor = all_["InferenceService"]["spec"]["predictor"]
    pod = {name: value for name, value in predictor.items() if name not in EXTENSION}
    return [all_["Deployment"]["spec"]["template"]["spec"], pod]


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_what_kubernetes_takes(platform: str, version: str) -> None:
    all_ = resources(platform)
    assert set(all_) == {
        *("Deployment", "Service", "NetworkPolicy", "HorizontalPodAutoscaler"),
        "InferenceService",
    }
    service = all_.pop("InferenceService")
    for each in all_.values():
        validate(each, version, strict=True)
    predictor = service["spec"]["predictor"]
    validate({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": pods(platform)[1]}, version, strict=True)
    strategy = all_["Deployment"] | {"spec": all_["Deployment"]["spec"] | {"strategy": predictor["deploymentStrategy"]}}
    validate(strategy, version, strict=True)
    assert set(predictor) > EXTENSION
    assert (service["apiVersion"], predictor["scaleMetric"]) == ("serving.kserve.io/v1beta1", "cpu")


def test_a_field_that_there_is_not_would_be_found(platform: str) -> None:
    wrong = resources(platform)["Deployment"]
    wrong["spec"]["template"]["spec"]["containers"][0]["readonly"] = True
    with pytest.raises(ValidationError):
        validate(wrong, VERSIONS[0], strict=True)


def test_kserve_runs_the_same_pod(platform: str) -> None:
    ours, theirs = pods(platform)
    assert theirs["containers"][0].pop("name") == "kserve-container"
    del ours["containers"][0]["name"]
    assert theirs == ours


def test_a_pod_is_what_the_suite_runs(platform: str) -> None:
    content = json.loads(expanded(TEMPLATE, "vm", platform, MODEL, None).text)["modulesContent"]
    entry = content["$edgeAgent"]["properties.desired"]["modules"]["inference"]
    container = pods(platform)[0]["containers"][0]
    env = {each["name"]: each["value"] for each in container["env"]}
    assert container["image"] == entry["settings"]["image"]
    assert {name: env[name] for name in entry["env"]} == {name: each["value"] for name, each in entry["env"].items()}
    assert container["resources"]["limits"] == {"memory": str(4 << 30), "nvidia.com/gpu": int("gpu" in platform)}


def test_the_module_takes_what_a_pod_tells_it(platform: str) -> None:
    env = {each["name"].lower(): each["value"] for each in pods(platform)[0]["containers"][0]["env"]}
    environment = InferenceEnvironment(**env)
    assert environment.twin is not None
    assert environment.twin.require_gpu == ("gpu" in platform)
    assert environment.twin.model.ref == MODEL["MODEL_REF"]
    mounts = {mount["mountPath"] for mount in pods(platform)[0]["containers"][0]["volumeMounts"]}
    token, credentials = environment.http_token_file, environment.registry_credentials
    assert token
    assert credentials
    for path in (token.parent, credentials.parent, environment.trust_roots, environment.state_dir):
        assert str(path) in mounts


def test_a_pod_may_do_nothing_but_its_work(platform: str) -> None:
    for pod in pods(platform):
        assert pod["automountServiceAccountToken"] is False
        security = pod["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"], security["runAsGroup"]) == (True, 10003, 10000)
        assert pod["containers"][0]["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_addresses_fit_each_other(platform: str) -> None:
    all_ = resources(platform)
    labels = all_["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert all_["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert all_["Service"]["spec"]["selector"] == labels
    assert all_["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert all_["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == all_["Deployment"]["metadata"]["name"]
    ports = {port["name"]: port["containerPort"] for port in pods(platform)[0]["containers"][0]["ports"]}
    assert ports["http"] == all_["Service"]["spec"]["ports"][0]["port"] == 8080


def test_what_has_no_value_is_left_to_be_seen(platform: str) -> None:
    for text in files(platform, {}):
        assert set(re.findall(r"\$\{(\w+)\}", text)) == {"MODEL_NAME", "MODEL_VERSION", "MODEL_REF"}
