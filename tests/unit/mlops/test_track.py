"""``--track``: what MLflow is told of a run, in a folder and by a server."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from git import Repo
from mlflow import MlflowClient
from mlflow.entities import Run

from edge_mlops.cli import main
from edge_mlops.tracking.revision import ENVIRONMENT, revision
from edge_mlops.training import runs
from support.datasets import Digits
from support.tracking import running_server
from support.web import free_port


def invoke(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, [*map(str, arguments)])


@pytest.fixture(scope="module")
def evaluated(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    run = invoke("train", digits.version, "--input", digits.wish, "--folder", folder).output.strip()
    assert invoke("evaluate", run).exit_code == 0
    return Path(run)


@pytest.fixture
def run(evaluated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(evaluated, tmp_path / "runs" / evaluated.name))


def train(digits: Digits, run: Path, *options: str | Path, **environment: str) -> Result:
    return invoke("train", digits.version, "--input", digits.wish, "--folder", run.parent, *options, **environment)


def told(uri: str | Path) -> list[Run]:
    client = MlflowClient(tracking_uri=str(uri))
    return [*client.search_runs([one.experiment_id for one in client.search_experiments()])]


def files(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def says_all(one: Run, run: Path, uri: str | Path) -> None:
    """See that MLflow has of a run what a reader looks for."""
    about = runs.read(run)
    assert one.info.run_name == run.name == one.data.tags["edge.run"]
    assert one.info.status == "FINISHED"
    params = {"estimator": "linear", "seed": "0", "dataset": "pets:1", "data": about.ingredients.data}
    assert params.items() <= one.data.params.items()
    assert one.data.params["environment.numpy"] == about.ingredients.environment["numpy"]
    assert (
        one.data.metrics["accuracy.test"]
        == about.accuracy["test"]
        == pytest.approx(one.data.metrics["candidate.accuracy"], abs=1e-4)
    )
    assert one.data.tags["mlflow.source.git.commit"] == "a1b2c3"
    client = MlflowClient(tracking_uri=str(uri))
    listed = {file.path for file in client.list_artifacts(one.info.run_id)}
    assert listed == {"run.json", "model.onnx", "contract.json", "evaluation.json", "evaluation.html"}


def test_a_folder_is_told_all_of_a_run_once_and_the_run_stays_as_it_is(
    digits: Digits, run: Path, tmp_path: Path
) -> None:
    before = files(run)
    for _ in range(2):
        result = train(digits, run, "--track", tmp_path / "store", **{ENVIRONMENT: "a1b2c3"})
        assert (result.exit_code, result.output.strip()) == (0, str(run))
    (one,) = told(tmp_path / "store")
    says_all(one, run, tmp_path / "store")
    assert files(run) == before
    history = MlflowClient(tracking_uri=str(tmp_path / "store")).get_metric_history(one.info.run_id, "accuracy.test")
    assert len(history) == 1


def test_a_verdict_is_told_when_there_is_one(digits: Digits, run: Path, tmp_path: Path) -> None:
    (run / "evaluation.json").unlink()
    assert train(digits, run, MLFLOW_TRACKING_URI=str(tmp_path / "store")).exit_code == 0
    (one,) = told(tmp_path / "store")
    assert "passed" not in one.data.tags
    strict = tmp_path / "gate.json"
    strict.write_text('{"precision": 1}')
    assert invoke("evaluate", run, "--gate", strict, "--track", tmp_path / "store").exit_code == 1
    (one,) = told(tmp_path / "store")
    assert (one.data.tags["passed"], one.info.status) == ("False", "FINISHED")


def test_within_a_job_its_own_run_is_told_and_ended_by_the_job(digits: Digits, run: Path, tmp_path: Path) -> None:
    client = MlflowClient(tracking_uri=str(tmp_path / "store"))
    job = client.create_run(client.create_experiment("job")).info.run_id
    assert train(digits, run, "--track", tmp_path / "store", MLFLOW_RUN_ID=job).exit_code == 0
    (one,) = told(tmp_path / "store")
    assert (one.info.run_id, one.info.status) == (job, "RUNNING")
    assert one.data.metrics["accuracy.test"] > 0.6


def test_a_tracking_server_is_told_the_same(digits: Digits, run: Path, tmp_path: Path) -> None:
    with running_server(tmp_path) as uri:
        for _ in range(2):
            result = train(digits, run, "--track", uri, **{ENVIRONMENT: "a1b2c3"})
            assert result.exit_code == 0, result.output
        (one,) = told(uri)
        says_all(one, run, uri)


def test_a_server_that_is_not_there_is_told_of_and_the_run_is_made(digits: Digits, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "any"
    uri = f"http://127.0.0.1:{free_port()}"
    result = train(digits, run, "--track", uri, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    assert (result.exit_code, "the run is made" in result.output) == (1, True)
    assert len([*run.parent.glob("[0-9a-f]*")]) == 1


def test_a_password_in_an_address_is_refused_and_not_repeated(digits: Digits, run: Path) -> None:
    result = train(digits, run, "--track", "http://me:hunter2@127.0.0.1:1")
    assert (result.exit_code, "hunter2" in result.output) == (1, False)
    assert "MLflow's own variables" in result.output


def test_without_mlflow_it_is_said_how_to_have_it(run: Path, tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['mlflow'] = None; from edge_mlops.cli import main; "
        f"main(['evaluate', {str(run)!r}, '--track', {str(tmp_path / 'store')!r}])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100)
    assert (ended.returncode, "MLflow is not installed: pip install" in ended.stderr) == (1, True)
    assert "Traceback" not in ended.stderr


def test_the_revision_is_the_commit_of_the_tree_that_the_code_is_in(tmp_path: Path) -> None:
    assert ENVIRONMENT not in os.environ
    code, other = tmp_path / "code.py", tmp_path / "installed.py"
    code.write_text("")
    assert revision(code) is None
    with Repo.init(tmp_path) as tree:
        assert revision(code) is None  # no commit yet
        tree.index.add([code])
        commit = tree.index.commit("first").hexsha
    assert revision(code) == commit
    other.write_text("")
    assert revision(other) is None  # the tree is another project's
    assert revision(code) == f"{commit}-dirty"
