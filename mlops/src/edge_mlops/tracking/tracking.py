"""Brings MLflow up to date with a run's folder, by the calls that Azure Machine Learning's endpoint answers, too.

That is: experiments, runs, parameters, metrics, tags and artifacts; no logged models, aliases or stages
(https://learn.microsoft.com/azure/machine-learning/how-to-use-mlflow).
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from edge_inference.package import CONTRACT, GRAPH
from edge_mlops.errors import ExtraError, TrackingError
from edge_mlops.evaluation import verdict as verdicts
from edge_mlops.evaluation.verdict import EVALUATION, PAGE
from edge_mlops.tracking.entries import Entry, of_evaluation, of_training
from edge_mlops.training import runs
from edge_mlops.training.runs import RUN, Run

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before it is imported, as what follows
os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # one folder for one machine: a database would want a server
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

try:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException

    from edge_mlops.tracking.revision import revision
except ImportError as error:
    raise ExtraError("a run is to be tracked, and MLflow is not installed") from error

NAME: Final = "edge.run"
"""The tag that says which run is told of."""


def track(run: Path, uri: str) -> str:
    """Tell MLflow of a run; what it has been told before is not told again.

    A job that runs in Azure Machine Learning has a run there already (``MLFLOW_RUN_ID``), which then is the one.

    Args:
        run: Its folder, evaluated or not.
        uri: A folder, a tracking server, or whatever else MLflow takes.

    Returns:
        The id that MLflow has given it.

    Raises:
        RunError: The folder holds no run.
        TrackingError: It cannot be told.
    """
    about = runs.read(run)
    with _client(uri) as client:
        mine = os.environ.get("MLFLOW_RUN_ID")
        found = mine or _found(client, about)
        _tell(client, found, of_training(about, revision()), [run / file for file in (RUN, GRAPH, CONTRACT)])
        if (run / EVALUATION).exists():
            _tell(client, found, of_evaluation(verdicts.read(run)), [run / file for file in (EVALUATION, PAGE)])
        if not mine:
            client.set_terminated(found)
    return found


@contextmanager
def _client(uri: str) -> Iterator[MlflowClient]:
    if urlsplit(uri).password:
        raise TrackingError("the tracking server's address has a password in it")
    try:
        yield MlflowClient(tracking_uri=uri)
    except MlflowException as error:
        raise TrackingError(str(error)) from error


def _found(client: MlflowClient, about: Run) -> str:
    """The run that MLflow has of it; there is one from now on."""
    dataset, digest = about.ingredients.dataset.partition(":")[0], about.ingredients.digest
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", dataset)
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name)
    known = client.search_runs([number], f"tags.`{NAME}` = '{digest}'", max_results=1)
    return str((known[0] if known else client.create_run(number, tags={NAME: digest}, run_name=digest)).info.run_id)


def _tell(client: MlflowClient, run: str, entry: Entry, files: Sequence[Path]) -> None:
    """Tell of a document, the first of the files, unless MLflow has it: a tag with its hash goes last."""
    document = files[0]
    digest = hashlib.sha256(document.read_bytes()).hexdigest()
    if client.get_run(run).data.tags.get(document.name) == digest:
        return
    at = int(document.stat().st_mtime * 1000)
    client.log_batch(
        run,
        params=[Param(name, value) for name, value in entry.params.items()],
        metrics=[Metric(name, value, at, 0) for name, value in entry.metrics.items()],
        tags=[RunTag(name, value) for name, value in entry.tags.items()],
    )
    for file in files:
        client.log_artifact(run, str(file))
    client.set_tag(run, document.name, digest)
