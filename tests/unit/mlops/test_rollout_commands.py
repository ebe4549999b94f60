"""What the commands of rollouts say before any hub is asked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_mlops.cli import main

REF = f"oci:library@sha256:{'2' * 64}"
NOWHERE = {"IOTHUB_CONNECTION_STRING": "HostName=nowhere"}


@pytest.mark.parametrize(
    ("arguments", "env", "reason"),
    [
        (("pets", REF), NOWHERE, "'pets' is no NAME:VERSION"),
        (("pets:2", "registry.example/pets:2"), NOWHERE, "must be pinned"),
        (("pets:2", REF, "--id", "two words"), NOWHERE, "'two words' names no rollout"),
        (("pets:2", REF), NOWHERE, "no connection string"),
        (("pets:2", REF), {}, "set IOTHUB_CONNECTION_STRING"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], reason: str
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"waves": ["tags.ring = 0"]}))
    variables = {"IOTHUB_CONNECTION_STRING": None, **env}
    result = CliRunner().invoke(main, ["rollout", *arguments[:2], str(plan), *arguments[2:]], env=variables)
    assert result.exit_code
    assert isinstance(result.exception, SystemExit)
    assert reason in result.output
    assert "nowhere" not in result.output
