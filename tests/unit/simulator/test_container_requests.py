"""What the container engine is asked for."""

from pathlib import Path
from typing import Any

from edge_simulator.agent.containers.project import Project
from edge_simulator.agent.containers.request import WORKLOAD_SOCKET, create_request
from edge_simulator.manifest import ModuleSpec, Mount
from edge_simulator.manifest.options import parse
from edge_simulator.state import State

PROJECT = Project("edge-1", "/state", "run")


def _request(raw: dict[str, Any], own: dict[str, str] | None = None, **env: str) -> dict[str, Any]:
    spec = ModuleSpec("camera", "registry/camera:1", "running", "always", 1, env, parse(raw), ("unused",))
    return create_request(spec, own or {}, PROJECT, _place, Path("/state/workload.sock"))


def _place(mount: Mount) -> Path | None:
    return Path("/here") / mount.source.strip("/") if mount.kind == "bind" or mount.source == "placed" else None


def test_createoptions_go_on_as_they_are() -> None:
    hardening = {"ReadonlyRootfs": True, "CapDrop": ["ALL"], "Memory": 1 << 28, "Runtime": "nvidia", "Devices": []}
    raw = {"User": "10001:10000", "Entrypoint": ["run"], "ExposedPorts": {"9600/tcp": {}}, "HostConfig": hardening}
    request = _request(raw)
    assert request.items() >= {name: raw[name] for name in ("User", "Entrypoint", "ExposedPorts")}.items()
    assert request["HostConfig"].items() >= hardening.items()
    assert request["Image"] == "registry/camera:1"


def test_only_the_supervisor_restarts_and_removes() -> None:
    host = _request({"HostConfig": {"RestartPolicy": {"Name": "always"}, "AutoRemove": True}})["HostConfig"]
    assert (host["RestartPolicy"], host["AutoRemove"]) == ({"Name": "no"}, False)


def test_the_environment_is_the_manifests_over_createoptions_and_edgeagents_over_both() -> None:
    own = {"IOTEDGE_MODULEID": "camera", "IOTEDGE_WORKLOADURI": "unix:///only/on/this/machine"}
    env = _request({"Env": ["A=options", "B=options"]}, own, A="manifest", IOTEDGE_MODULEID="liar")["Env"]
    assert sorted(env) == [
        "A=manifest",
        "B=options",
        "IOTEDGE_MODULEID=camera",
        f"IOTEDGE_WORKLOADURI=unix://{WORKLOAD_SOCKET}",
        "RuntimeLogLevel=Information",
    ]


def test_binds_show_what_stands_in_for_the_hosts_folder() -> None:
    binds = ["/mnt/share:/data:ro,z", "named:/state"]
    assert _request({"HostConfig": {"Binds": binds}})["HostConfig"]["Binds"] == [
        "/here/mnt/share:/data:ro,z",
        "edge-1-named:/state",
    ]


def test_volumes_are_the_devices_own_and_keep_their_driver() -> None:
    driver = {"DriverConfig": {"Name": "local", "Options": {"type": "tmpfs"}}}
    mount = {"Type": "volume", "Source": "tensors", "Target": "/tensors", "ReadOnly": True, "VolumeOptions": driver}
    (volume, _) = _request({"HostConfig": {"Mounts": [mount]}})["HostConfig"]["Mounts"]
    labels = {"edge-simulator.state": "/state", "edge-simulator.project": "edge-1"}
    assert volume == {**mount, "Source": "edge-1-tensors", "VolumeOptions": {**driver, "Labels": labels}}


def test_a_volume_that_the_user_has_placed_is_a_bind() -> None:
    mount = {"Source": "placed", "Target": "/tensors", "ReadOnly": True}
    (bind, _) = _request({"HostConfig": {"Mounts": [mount]}})["HostConfig"]["Mounts"]
    assert bind == {"Type": "bind", "Source": "/here/placed", "Target": "/tensors", "ReadOnly": True}


def test_memory_and_nameless_volumes_are_the_containers_own() -> None:
    mounts = [{"Type": "tmpfs", "Target": "/memory"}, {"Type": "volume", "Target": "/scratch"}]
    assert _request({"HostConfig": {"Mounts": mounts}})["HostConfig"]["Mounts"][:2] == mounts


def test_the_workload_api_is_mounted() -> None:
    (socket,) = _request({})["HostConfig"]["Mounts"]
    assert socket == {"Type": "bind", "Source": "/state/workload.sock", "Target": WORKLOAD_SOCKET}


def test_a_module_is_known_by_its_name_on_the_devices_network() -> None:
    endpoints = {"edge-1": {"Aliases": ["camera"]}}
    assert _request({})["NetworkingConfig"] == {"EndpointsConfig": endpoints}


def test_a_network_of_its_own_choice_stays() -> None:
    assert "NetworkingConfig" not in _request({"HostConfig": {"NetworkMode": "host"}})
    chosen = {"EndpointsConfig": {"factory": {"Aliases": ["eye"]}}}
    assert _request({"NetworkingConfig": chosen})["NetworkingConfig"] == chosen


def test_a_state_folder_that_was_emptied_is_another_project(tmp_path: Path) -> None:
    state = State(tmp_path)
    first = Project.of(state, "run")
    assert Project.of(state, "run") == first
    (tmp_path / "device.key").unlink()
    assert Project.of(state, "run").name != first.name
