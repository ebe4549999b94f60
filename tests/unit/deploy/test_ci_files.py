"""Files for GitHub Actions and Azure Pipelines, held against their published schemas; nothing secret is in them."""

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from support.project import ROOT

WORKFLOW, PIPELINE = ".github/workflows/train.yml", "azure-pipelines.yml"
SCHEMAS = {
    WORKFLOW: "github-workflows",
    ".github/workflows/ci.yml": "github-workflows",
    PIPELINE: "azure-pipelines",
}
"""As check-jsonschema has them from the services."""


def wrong(name: str, text: str) -> list[str]:
    schema = resources.files("check_jsonschema.builtin_schemas.vendor") / f"{SCHEMAS[name]}.json"
    document = {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}  # YAML 1.1's on
    return [error.message for error in Draft7Validator(json.loads(schema.read_text())).iter_errors(document)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_they_are_what_the_services_take(name: str) -> None:
    assert wrong(name, (ROOT / name).read_text()) == []


@pytest.mark.parametrize(("name", "text"), [(WORKFLOW, "timeout-minutes"), (PIPELINE, "timeoutInMinutes")])
def test_what_is_wrong_is_found(name: str, text: str) -> None:
    assert wrong(name, (ROOT / name).read_text().replace(text, "timeout", 1))


@pytest.mark.parametrize("name", SCHEMAS)
def test_they_store_no_secret_and_pin_what_they_run(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "secrets." not in text
    assert not re.findall(r"(?i)password|client-secret|connection.?string|credentials", text)
    assert all(re.search(r"@[0-9a-f]{40} # v\d", line) for line in text.splitlines() if "uses:" in line)
    workflow = yaml.safe_load(text)
    assert workflow.get("permissions", {}) in ({}, {"contents": "read"}, {"contents": "read", "id-token": "write"})


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_programs_that_they_name_are_there(name: str) -> None:
    for program in re.findall(r"(?:mlops/azureml|\.ci)/[\w.]+", (ROOT / name).read_text()):
        assert shutil.which(ROOT / program), program


def test_a_model_is_made_only_by_code_that_was_pushed_to_main_and_has_passed() -> None:
    """Publishing it signs it."""
    train = yaml.safe_load((ROOT / WORKFLOW).read_text())
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    on = train[True]
    assert {*on} == {"workflow_run", "repository_dispatch", "workflow_dispatch"}
    assert (on["workflow_run"]["workflows"], on["workflow_run"]["branches"]) == ([ci["name"]], ["main"])
    (job,) = train["jobs"].values()
    for wanted in ("workflow_run.conclusion == 'success'", "workflow_run.event == 'push'"):
        assert wanted in job["if"]
    assert "workflow_run.head_sha" in job["steps"][0]["with"]["ref"]
    stages = {stage["stage"]: stage for stage in yaml.safe_load((ROOT / PIPELINE).read_text())["stages"]}
    assert stages["train"]["dependsOn"] == "ci"
    assert "refs/heads/main" in stages["train"]["condition"]


AZ = """#!/usr/bin/env bash
echo "$*" >>"{log}"
case "$2 $3" in
    "job create") echo a-job ;;
    "job show") echo {status} ;;
esac
"""


@pytest.mark.parametrize(("status", "code"), [("Completed", 0), ("Failed", 1)])
def test_submitting_ends_as_the_pipeline_ends(status: str, code: int, tmp_path: Path) -> None:
    for name, text in {"az": AZ.format(log=tmp_path / "log", status=status), "make": "#!/bin/sh\n"}.items():
        program = tmp_path / name
        program.write_text(text)
        program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    script = ROOT / "mlops/azureml/submit.sh"
    done = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (code, f"a-job: {status}")
    said = (tmp_path / "log").read_text()
    files = re.findall(r"--file (\S+)", said)
    assert [(ROOT / file).is_file() for file in files] == [True, True]
