"""The files for Azure Machine Learning: what is wrong with them is found without a workspace."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from edge_inference.settings import InferenceEnvironment
from edge_inference.web.access import Access
from edge_mlops.azureml.checks import alone, findings, together
from edge_mlops.evaluation.gate import read_gate
from support.azureml import FOLDER
from support.project import ROOT

PIPELINE, PUBLISH, TRAIN = "pipeline.yml", "components/publish.yml", "components/train.yml"
GATE, RUN = "gate: ${{parent.inputs.gate}}", "jobs.train.outputs.run"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "azureml"))


def test_nothing_is_wrong_with_them() -> None:
    assert [*findings(FOLDER)] == []


@pytest.mark.parametrize(
    ("file", "text", "wrong", "found"),
    [
        (TRAIN, "display_name:", "displayname:", "nobody knows displayname"),
        (TRAIN, "mode: ro_mount", "modus: ro_mount", "nobody knows inputs.dataset.modus"),
        (TRAIN, "type: uri_file", "type: file", ".*file"),
        (TRAIN, "--folder runs", "--map runs", "train: No such option '--map'"),
        (TRAIN, "--folder runs", "", "train: Missing option '--folder'"),
        (TRAIN, "--folder runs", "--folder runs extra", "train: extra is too much"),
        (TRAIN, '"${{inputs.dataset}}" --store', "--store", "train: Missing argument 'VERSION'"),
        (TRAIN, "[linear, perceptron, convolutional]", "[linear, forest]", "train: .*'forest' is not one of"),
        (TRAIN, "default: 0, min: 0", "default: -1", "train: .*-1 is not in the range"),
        (TRAIN, "$(edge-mlops train", "$(edge-mlops trein", "edge-mlops has no command 'trein'"),
        (TRAIN, "$(edge-mlops train", "$(edge-model train", "it does not call edge-mlops"),
        (TRAIN, "seed ${{inputs.seed}}", "seed ${{inputs.sed}}", "inputs.sed is not declared"),
        (TRAIN, "--seed ${{inputs.seed}}", "", "inputs.seed is not used"),
        (TRAIN, "seed ${{inputs.seed}}", "seed ${{input.seed}}", "input.seed makes no sense"),
        (TRAIN, "commandComponent", "commandKomponent", "nobody knows its \\$schema"),
        (PUBLISH, "environment: azureml:edge-mlops", "environment: azureml:edge", "no file describes"),
        (PIPELINE, "experiment_name:", "experiment:", "nobody knows experiment"),
        (PIPELINE, "  continue_on_step_failure:", "  continue_on_failure:", "nobody knows settings.c"),
        (PIPELINE, "mode: ro_mount", "modus: ro_mount", "nobody knows inputs.store.modus"),
        (PIPELINE, "component: components/t", "komponent: components/t", "nobody knows jobs.train.komponent"),
        (PIPELINE, "components/train.yml", "components/trein.yml", "train: there is no components/trein.yml"),
        (PIPELINE, GATE, "gate: ${{parent.inputs.gait}}", "evaluate.gate: the pipeline has no input gait"),
        (PIPELINE, GATE, "gait: ${{parent.inputs.gate}}", "evaluate: its component has no inputs.gait"),
        (PIPELINE, "      gate: ${{parent.inputs.gate}}\n", "", "evaluate: inputs.gate has no value"),
        (PIPELINE, GATE, "gate: ${{parent.inputs.active}}", "evaluate.gate: it is string"),
        (PIPELINE, GATE, "gate: ${{parents.inputs.gate}}", "evaluate.gate: parents.inputs.gate makes no sense"),
        (PIPELINE, RUN, "jobs.train.outputs.runs", "evaluate.run: train has no output runs"),
        (PIPELINE, RUN, "jobs.package.outputs.package", "evaluate.run: there is no step package before it"),
        (PIPELINE, RUN, "jobs.dataset.outputs.version", "evaluate.run: it is mltable, and uri_folder is wanted"),
        (PIPELINE, "  name: pets", "  name: pets\n  nobody: wants", "inputs.nobody is not used"),
        (PIPELINE, "datastores/edge_mlops", "datastores/elsewhere", "no file describes azureml://datastores/elsewhere"),
        (PIPELINE, "compute: azureml:edge-mlops", "compute: azureml:gpus", "no file describes azureml:gpus"),
        (PIPELINE, "path: gate.json", "path: gait.json", "there is no gait.json"),
        (PIPELINE, "name: pets", "name: Https;AccountKey=x", "this looks like a secret"),
        (PIPELINE, "name: pets", "name: https://x/c?sp=r&sig=abc", "this looks like a secret"),
        ("schedule.yml", "expression:", "expresion:", ""),
        ("deployment.yml", "liveness_route", "livenes_route", ""),
        ("deployment.yml", "request_timeout_ms", "request_timeout", ""),
        ("compute.yml", "min_instances", "min_nodes", "nobody knows min_nodes"),
        ("data-dataset.yml", "type: mltable", "type: table", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(folder: Path, file: str, text: str, wrong: str, found: str) -> None:
    whole = (folder / file).read_text()
    assert text in whole
    (folder / file).write_text(whole.replace(text, wrong, 1))
    problems = chain(together(folder), alone(folder, folder / file))
    assert any(re.match(f"{file}: {found}", each) for each in problems)


def test_the_same_command_line_tells(folder: Path) -> None:
    (folder / "gate.json").unlink()
    command = [sys.executable, "-m", "edge_mlops.azureml.checks"]
    done = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "pipeline.yml: there is no gate.json\n")


def test_the_gate_is_one() -> None:
    assert read_gate(FOLDER / "gate.json").precision > 0


def test_the_endpoint_s_environment_is_the_module_s() -> None:
    deployment = yaml.safe_load((FOLDER / "deployment.yml").read_text())
    given = deployment["environment_variables"]
    environment = InferenceEnvironment(**{name.lower(): value for name, value in given.items()})
    assert environment.twin
    model = environment.twin.model
    assert (model.name, model.version) == ("pets", "1")
    assert deployment["model"] == f"azureml:{model.name}:{model.version}"
    assert environment.model_dir == Path("/var/azureml-app/azureml-models") / model.name / model.version
    assert Access.of(environment) == Access(None, None)
    assert f"COPY roots.pem {environment.trust_roots}" in (FOLDER / "endpoint/Dockerfile").read_text()


def test_the_environment_has_all_that_the_packages_ask_for() -> None:
    pins = _pins(ROOT / "mlops/requirements.lock")
    own = {"edge-common", "edge-inference", "edge-mlops", "edge-transform", "edge-upload"}
    wanted = [*_required("edge-mlops", {"azureml"}, own)]
    assert len(wanted) > 20
    for requirement in wanted:
        assert [pin for pin in pins.get(requirement.name.lower(), ()) if pin in requirement.specifier], requirement
    suite = _pins(ROOT / "requirements.lock")
    assert not {name for name, pin in pins.items() if name in suite and not pin <= suite[name]}


def _pins(lock: Path) -> dict[str, set[str]]:
    """Versions by package; one for other systems and Pythons may have another."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[.*?\])?==([\w.]+)", lock.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def _required(package: str, extras: set[str], own: set[str]) -> Iterator[Requirement]:
    """What a package of the suite asks for, and what those ask for that it stands on."""
    for requirement in map(Requirement, metadata.requires(package) or ()):
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
            continue
        if requirement.name in own:
            yield from _required(requirement.name, requirement.extras, own)
        else:
            yield requirement


def test_the_build_context_has_what_the_image_is_made_of() -> None:
    dockerfile = (FOLDER / "environment/Dockerfile").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert re.findall(r"-r (\S+)", dockerfile) == ["requirements-build.lock", "requirements.lock"]
    assert "cp requirements-build.lock mlops/requirements.lock $(AZUREML)/" in makefile
    packages = re.search(r"^MLOPS := (.*)$", makefile, re.MULTILINE)
    assert packages
    assert {*packages[1].split()} == {
        "mlops",
        *(f"modules/{name}" for name in ("common", "inference", "transform", "upload")),
    }
