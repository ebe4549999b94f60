"""What modules get to see, and when they start again."""

from pathlib import Path
from typing import Any

import pytest

from edge_simulator.agent.environment import credentials, environment
from edge_simulator.agent.ports import local_ports
from edge_simulator.agent.restart import Backoff, restarts
from edge_simulator.agent.volumes import Volumes, relocate, working_folder
from edge_simulator.identity import Device
from edge_simulator.manifest import CreateOptions, ModuleSpec, Mount

RESTARTS_ALLOWED = 20
LOWEST_OF_OUTGOING = 32_768
"""Of the ports that Linux gives to outgoing connections by default."""


def _spec(
    *,
    env: dict[str, str] | None = None,
    own_env: dict[str, str] | None = None,
    binds: list[Mount] | None = None,
    mounts: list[Mount] | None = None,
    tmpfs: dict[str, str] | None = None,
    restart_policy: str = "always",
    raw: dict[str, Any] | None = None,
) -> ModuleSpec:
    options = CreateOptions(
        env=own_env or {},
        entrypoint=None,
        cmd=None,
        working_dir=(raw or {}).get("WorkingDir"),
        binds=binds or [],
        mounts=mounts or [],
        tmpfs=tmpfs or {},
        raw=raw or {},
    )
    return ModuleSpec("m", "image:1", "running", restart_policy, 1, env or {}, options, ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "exit_code", "again"),
    [
        ("never", 0, False),
        ("never", 1, False),
        ("on-failure", 0, False),
        ("on-failure", 1, True),
        ("on-failure", -9, True),
        ("on-unhealthy", 0, False),
        ("on-unhealthy", 1, True),
        ("always", 0, True),
        ("always", 1, True),
    ],
)
def test_restart_policies(policy: str, exit_code: int, *, again: bool) -> None:
    assert restarts(_spec(restart_policy=policy), exit_code) is again


def test_waits_double_up_to_a_limit() -> None:
    backoff = Backoff()
    assert [backoff.next_wait(0) for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]


def test_the_unit_scales_everything() -> None:
    backoff = Backoff(0.5)
    assert [backoff.next_wait(29) for _ in range(7)] == [0.5, 1, 2, 4, 8, 15, 15]
    assert backoff.next_wait(30) == 0.5


def test_there_is_an_end_to_restarts() -> None:
    backoff = Backoff()
    assert None not in [backoff.next_wait(0) for _ in range(RESTARTS_ALLOWED)]
    assert backoff.next_wait(599) is None
    assert backoff.next_wait(600) == 10


def test_what_lies_nearer_to_the_module_wins() -> None:
    spec = _spec(env={"A": "manifest", "IOTEDGE_MODULEID": "liar"}, own_env={"A": "options", "B": "options"})
    seen = environment(spec, {"IOTEDGE_MODULEID": "m"}, {}, {})
    assert (seen["A"], seen["B"], seen["IOTEDGE_MODULEID"]) == ("manifest", "options", "m")
    assert seen["RuntimeLogLevel"] == "Information"


def test_the_users_own_environment_stays_outside() -> None:
    allowed = {"HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"}
    assert environment(_spec(), {}, {}, {}).keys() <= allowed | {"PYTHONUNBUFFERED", "RuntimeLogLevel"}


def test_credentials_are_what_the_sdk_needs() -> None:
    device = Device("127.0.0.2", b"a secret")
    given = credentials(device, "m", Path("/run/workload.sock"))
    assert given.pop("IOTEDGE_MODULEGENERATIONID").isdecimal()
    assert given == {
        "IOTEDGE_WORKLOADURI": "unix:///run/workload.sock",
        "IOTEDGE_AUTHSCHEME": "sasToken",
        "IOTEDGE_IOTHUBHOSTNAME": "simulator.azure-devices.net",
        "IOTEDGE_GATEWAYHOSTNAME": "127.0.0.2",
        "IOTEDGE_DEVICEID": "edge",
        "IOTEDGE_MODULEID": "m",
        "IOTEDGE_APIVERSION": "2020-07-07",
    }


@pytest.mark.parametrize(
    ("value", "relocated"),
    [
        ("/data", "/here/data"),
        ("/data/", "/here/data/"),
        ("/data/a/b.txt", "/here/data/a/b.txt"),
        ("/data/deep/file", "/there/deep/file"),
        ("/slash/file", "/here/slash/file"),
        ("/database", "/database"),
        ("/other", "/other"),
        ("data", "data"),
        ("file:/data", "file:/data"),
        ("", ""),
    ],
)
def test_paths_below_a_mount_are_relocated(value: str, relocated: str) -> None:
    folders = {"/data": Path("/here/data"), "/data/deep": Path("/there/deep"), "/slash/": Path("/here/slash")}
    assert relocate(value, folders) == relocated


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("/data", "/here/data"),
        ("/data/deep", "/here/data/deep"),
        ("/app", "/state/run/m"),
        ("", "/state/run/m"),
        (None, "/state/run/m"),
    ],
)
def test_a_module_starts_in_its_working_dir_where_that_is_mounted(stated: str | None, found: str) -> None:
    folders = {"/data": Path("/here/data")}
    assert working_folder(_spec(raw={"WorkingDir": stated}), folders, Path("/state/run/m")) == Path(found)


def test_exposed_ports_are_free_ports_here() -> None:
    spec = _spec(env={"PORT": "9600", "OTHER": "9601"}, raw={"ExposedPorts": {"9600/tcp": {}, "9601/udp": {}}})
    ports = local_ports(spec)
    assert ports.keys() == {"9600"}
    assert int(ports["9600"]) < LOWEST_OF_OUTGOING
    seen = environment(spec, {}, {}, ports)
    assert (seen["PORT"], seen["OTHER"]) == (ports["9600"], "9601")


def test_every_kind_of_mount_has_a_folder(tmp_path: Path) -> None:
    placed = tmp_path / "placed"
    volumes = Volumes(tmp_path / "volumes", tmp_path / "tmpfs", {"share": placed})
    spec = _spec(
        binds=[Mount("/srv/in put", "/input", "bind", read_only=True)],
        mounts=[
            Mount("state", "/state", "volume", read_only=False),
            Mount("share", "/share", "volume", read_only=False),
            Mount("", "/scratch/1", "tmpfs", read_only=False),
        ],
        tmpfs={"/scratch/2": "size=1m"},
    )
    folders = {
        "/input": tmp_path / "volumes" / "srv_in put",
        "/state": tmp_path / "volumes" / "state",
        "/share": placed,
        "/scratch/1": tmp_path / "tmpfs" / "m" / "scratch_1",
        "/scratch/2": tmp_path / "tmpfs" / "m" / "scratch_2",
    }
    assert volumes.folders(spec) == folders
    volumes.prepare(spec)
    assert all(folder.is_dir() for folder in folders.values())


def test_volumes_stay_and_memory_starts_empty(tmp_path: Path) -> None:
    volumes = Volumes(tmp_path / "volumes", tmp_path / "tmpfs", {})
    spec = _spec(mounts=[Mount("state", "/state", "volume", read_only=False)], tmpfs={"/scratch/2": ""})
    volumes.prepare(spec)
    kept, gone = (folder / "file" for folder in volumes.folders(spec).values())
    kept.touch()
    gone.touch()
    volumes.prepare(spec)
    assert (kept.exists(), gone.exists()) == (True, False)


def test_a_file_can_be_put_in_a_mounts_place(tmp_path: Path) -> None:
    file = tmp_path / "roots.pem"
    file.write_text("trust")
    volumes = Volumes(tmp_path / "volumes", tmp_path / "tmpfs", {"/etc/roots.pem": file})
    spec = _spec(binds=[Mount("/etc/roots.pem", "/trust/roots.pem", "bind", read_only=True)])
    volumes.prepare(spec)
    assert relocate("/trust/roots.pem", volumes.folders(spec)) == str(file)
