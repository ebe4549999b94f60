"""Other people's tools copy our packages unchanged, with what signs them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_inference.cli import main
from edge_inference.layout import entries, pack
from edge_inference.signing.referrers import fallback_tag
from support.models import contract, write_golden, write_model
from support.registry import RegistryServer
from support.signers import LEAF, ROOT

FETCHED = Path(__file__).parents[2] / "build/skopeo/usr"


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.fixture
def pushed(tmp_path: Path, registry_server: RegistryServer, request: pytest.FixtureRequest) -> str:
    """A signed package with golden examples and a model card, in a registry: its reference, pinned."""
    files = write_model(tmp_path / "files", contract())
    write_golden(files, contract(), 1, 2)
    (files / "README.md").write_text("# A model card\n")
    pack(files, tmp_path / "layout", "teller", "1")
    key, chain = LEAF.write(tmp_path / "signer")
    run("sign", tmp_path / "layout", "teller:1", "--key", key, "--chain", chain)
    name = f"{registry_server.host}/{request.node.name.replace('_', '-')}/teller:1"
    return run("push", "--plain-http", tmp_path / "layout", "teller:1", name)


def verified(tmp_path: Path, *where: str | Path) -> bool:
    return "'CN=signer'" in run("verify", *where, "--roots", ROOT.pin(tmp_path / "roots"))


def skopeo(*arguments: str) -> None:
    """Copy; skopeo may write an index anew, which holds nothing that is believed."""
    command = shutil.which("skopeo", path=f"{os.environ['PATH']}:{FETCHED / 'bin'}")
    if command is None:
        pytest.skip("needs skopeo: make skopeo")
    libraries = {"LD_LIBRARY_PATH": str(FETCHED / "lib/x86_64-linux-gnu")}
    options = ("--insecure-policy", "copy", "--all")
    plain = ("--src-tls-verify=false", "--dest-tls-verify=false")
    done = subprocess.run(
        [command, *options, *plain, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **libraries},
    )
    assert done.returncode == 0, done.stderr


def test_skopeo_copies_into_a_layout_and_a_folder_and_back(tmp_path: Path, pushed: str) -> None:
    name, _, digest = pushed.partition("@")
    repository, copy = name.removesuffix(":1"), tmp_path / "copy"
    for tag in ("1", fallback_tag(digest)):
        skopeo(f"docker://{repository}:{tag}", f"oci:{copy}:{tag}")
        skopeo(f"oci:{copy}:{tag}", f"dir:{tmp_path / tag}")
        skopeo(f"dir:{tmp_path / tag}", f"docker://{repository}-again:{tag}")
    assert digest in {entry.digest for entry in entries(copy)}
    assert verified(tmp_path, copy, digest)
    assert verified(tmp_path, "--plain-http", f"{repository}-again@{digest}")
    run("pull", "--plain-http", f"{repository}-again@{digest}", tmp_path / "pulled")
    assert verified(tmp_path, tmp_path / "pulled", digest)


def test_skopeo_copies_a_layout_of_ours_into_a_registry(
    tmp_path: Path, pushed: str, registry_server: RegistryServer
) -> None:
    digest = pushed.partition("@")[2]
    there = f"{registry_server.host}/from-layout/teller"
    skopeo(f"oci:{tmp_path / 'layout'}:teller:1", f"docker://{there}:1")
    assert run("inspect", "--plain-http", f"{there}:1")
    run("pull", "--plain-http", f"{there}@{digest}", tmp_path / "back")


def test_oras_pulls_the_files_by_name(tmp_path: Path, pushed: str) -> None:
    command = shutil.which("oras")
    if command is None:
        pytest.skip("needs oras on the search path")
    target = tmp_path / "pulled"
    subprocess.run([command, "pull", "--plain-http", pushed, "-o", str(target)], check=True, timeout=60)
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert {path.name: path.read_bytes() for path in target.iterdir()} == files
    copied = pushed.partition("@")[0].replace("/teller", "/copied")
    subprocess.run(
        [command, "copy", "-r", "--from-plain-http", "--to-plain-http", pushed, copied], check=True, timeout=60
    )
    assert verified(tmp_path, "--plain-http", copied)
