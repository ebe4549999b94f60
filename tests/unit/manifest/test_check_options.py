import json
from pathlib import Path
from typing import Any

import pytest

from support.manifests import MODULES, deployment, desired, found, module, options, with_host_config

OPTIONS = f"{MODULES}.camera.settings.createOptions"
ONE, OTHER, EVERY = "10.0.0.1", "10.0.0.2", "0.0.0.0"  # noqa: S104 (compared, never bound)


@pytest.mark.parametrize("create", ["{", "[]", '{"Env": {}}', '{"HostConfig": {"Mounts": [{}]}}', "x" * 5000])
def test_options_that_cannot_be_read(tmp_path: Path, create: str) -> None:
    document = deployment(camera=module(settings={"image": "i:1", "createOptions": create}))
    assert ("create-options", OPTIONS) in found(document, tmp_path)


@pytest.mark.parametrize(("characters", "wrong"), [(4096, False), (4097, True)])
def test_options_over_the_chunk_limit(tmp_path: Path, characters: int, *, wrong: bool) -> None:
    overhead = len('{"Labels":{"l":""}}')
    findings = found(options(deployment(), {"Labels": {"l": "x" * (characters - overhead)}}), tmp_path)
    assert (("create-options", OPTIONS) in findings) is wrong


@pytest.mark.parametrize(
    ("create", "place"),
    [
        ({"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]}, "DeviceRequests"),
        ({"Runtime": "nvidia"}, "Runtime"),
        ({"Gpus": "all"}, "Gpus"),
        ({"HostConfig": {"gpus": "all"}}, "HostConfig.gpus"),
    ],
)
def test_gpu_options_that_nobody_reads(tmp_path: Path, create: dict[str, Any], place: str) -> None:
    assert found(options(deployment(), create), tmp_path) == [("gpu", f"{OPTIONS}.{place}")]


@pytest.mark.parametrize(
    ("requests", "place"),
    [
        ([{"Count": -1, "Capabilities": ["gpu"]}], "[0].Capabilities[0]"),
        ([{"Count": -1}], "[0].Capabilities"),
        ([{"Count": "all", "Capabilities": [["gpu"]]}], "[0].Count"),
        ([{"Count": 1, "DeviceIDs": ["0"], "Capabilities": [["gpu"]]}], "[0]"),
        ({"Count": -1, "Capabilities": [["gpu"]]}, ""),
    ],
)
def test_device_requests_that_docker_cannot_parse(tmp_path: Path, requests: Any, place: str) -> None:
    document = with_host_config({"DeviceRequests": requests})
    assert found(document, tmp_path) == [("gpu", f"{OPTIONS}.HostConfig.DeviceRequests{place}")]


@pytest.mark.parametrize(
    "host_config",
    [
        {"Runtime": "nvidia"},
        {"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]},
        {"DeviceRequests": [{"Driver": "nvidia", "DeviceIDs": ["0"], "Capabilities": [["gpu", "compute"]]}]},
        {"DeviceRequests": None},
    ],
)
def test_gpu_options_that_work(tmp_path: Path, host_config: dict[str, Any]) -> None:
    assert found(with_host_config(host_config), tmp_path) == []


def test_the_kubernetes_profile_knows_no_binds(tmp_path: Path) -> None:
    kubernetes = {"k8s-experimental": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}
    document = with_host_config({"Binds": ["/a:/b"], "Runtime": "nvidia"}, **kubernetes)
    place = f"{OPTIONS}.HostConfig"
    assert found(document, tmp_path) == [("kubernetes", f"{place}.Binds"), ("kubernetes", f"{place}.Runtime")]
    assert found(with_host_config({"Binds": ["/a:/b"]}), tmp_path) == []
    assert found(with_host_config({}, **kubernetes), tmp_path) == []


def test_the_kubernetes_profile_holds_for_all_modules_and_stands_beside_host_config(tmp_path: Path) -> None:
    document = deployment(camera=module(), scale=module(settings={"image": "i:1"}))
    options(document, {"HostConfig": {"k8s-experimental": {}}}, "camera")
    options(document, {"HostConfig": {"Binds": ["/a:/b"]}}, "scale")
    assert found(document, tmp_path) == [
        ("kubernetes", f"{OPTIONS}.HostConfig.k8s-experimental"),
        ("kubernetes", f"{MODULES}.scale.settings.createOptions.HostConfig.Binds"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        (("80/tcp", {"HostPort": "80"}), ("8080/tcp", {"HostPort": "80"}), True),
        (("80", {"HostPort": "80"}), ("80/tcp", {"HostPort": "80"}), True),
        (("80/tcp", {"HostPort": "80", "HostIp": ONE}), ("80/tcp", {"HostPort": "80"}), True),
        (("80/tcp", {"HostPort": "80", "HostIp": EVERY}), ("80/tcp", {"HostPort": "80", "HostIp": ONE}), True),
        (("80/tcp", {"HostPort": "80", "HostIp": ONE}), ("80/tcp", {"HostPort": "80", "HostIp": ONE}), True),
        (("80/tcp", {"HostPort": "80", "HostIp": OTHER}), ("80/tcp", {"HostPort": "80", "HostIp": ONE}), False),
        (("80/tcp", {"HostPort": "80"}), ("80/udp", {"HostPort": "80"}), False),
        (("80/tcp", {"HostPort": "80"}), ("80/tcp", {"HostPort": "81"}), False),
        (("80/tcp", {}), ("80/tcp", {}), False),
    ],
)
def test_duplicate_host_ports(tmp_path: Path, first: Any, second: Any, *, wrong: bool) -> None:
    document = deployment(camera=module(), scale=module(settings={"image": "i:1"}))
    options(document, {"HostConfig": {"PortBindings": {first[0]: [first[1]]}}}, "camera")
    options(document, {"HostConfig": {"PortBindings": {second[0]: [second[1]]}}}, "scale")
    place = f"{MODULES}.scale.settings.createOptions.HostConfig.PortBindings.{second[0]}[0]"
    assert found(document, tmp_path) == ([("ports", place)] if wrong else [])


def test_system_modules_take_ports_too(tmp_path: Path) -> None:
    document = options(deployment(), {"HostConfig": {"PortBindings": {"1/tcp": [{"HostPort": "8883"}]}}})
    hub = desired(document, "$edgeAgent")["systemModules"]["edgeHub"]
    hub["settings"]["createOptions"] = json.dumps(
        {"HostConfig": {"PortBindings": {"8883/tcp": [{"HostPort": "8883"}]}}}
    )
    assert [rule for rule, _ in found(document, tmp_path)] == ["ports"]


def tensor_store(
    *, memory: int = 1000, budget: int = 700, size: str = "size=1k", read_only: bool = False
) -> dict[str, Any]:
    driver = {"Name": "local", "Options": {"type": "tmpfs", "device": "tmpfs", "o": size}}
    mount = {"Type": "volume", "Source": "store", "Target": "/store", "VolumeOptions": {"DriverConfig": driver}}
    document = with_host_config({"Memory": memory, "Mounts": [{**mount, "ReadOnly": read_only}]})
    desired(document, "camera")["storeBudgetBytes"] = budget
    return document


MEMORY = ("tensor-store", f"{OPTIONS}.HostConfig.Memory")
BUDGET = ("tensor-store", "modulesContent.camera.properties.desired.storeBudgetBytes")


@pytest.mark.parametrize(
    ("document", "findings"),
    [
        (tensor_store(), []),
        (tensor_store(budget=750), []),
        (tensor_store(budget=751), [MEMORY]),
        (tensor_store(budget=1001, memory=0), []),
        (tensor_store(budget=1025, memory=5000), [BUDGET]),
        (tensor_store(budget=1025, memory=5000, size="uid=1,size=2K,mode=0700"), []),
        (tensor_store(budget=5000, memory=1000, size="size=1m", read_only=True), []),
        (tensor_store(budget=5000, memory=9000, size="mode=0700"), []),
    ],
)
def test_a_tensor_store_fits_its_writers_memory_and_its_volume(
    tmp_path: Path, document: dict[str, Any], findings: list[tuple[str, str]]
) -> None:
    assert found(document, tmp_path) == findings


def test_a_tensor_store_on_disk_takes_no_memory(tmp_path: Path) -> None:
    document = with_host_config({"Memory": 1000, "Mounts": [{"Source": "store", "Target": "/store"}]})
    desired(document, "camera")["storeBudgetBytes"] = 5000
    assert found(document, tmp_path) == []
