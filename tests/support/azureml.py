"""What Azure Machine Learning does with a pipeline, on this machine: folders for mounts, one step after the other."""

import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from support.web import serving

FOLDER = Path(__file__).parents[2] / "mlops/azureml"
_PLACE = re.compile(r"\$\{\{(inputs|outputs)\.(\w+)\}\}")
_PARENT = re.compile(r"\$\{\{parent\.(?:inputs\.(\w+)|jobs\.(\w+)\.outputs\.(\w+))\}\}")


class StepFailedError(Exception):
    """A step ended with another status than 0; its log."""


class Pipeline:
    """Runs ``pipeline.yml``.

    Args:
        root: Datastores are folders in it, ``<name>/<path>``, and every run has one.
        environment: Of the steps.
        inputs: In place of the pipeline's own.
    """

    def __init__(self, root: Path, environment: Mapping[str, str], **inputs: Any) -> None:
        self._root, self._runs = root, 0
        self._environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environment}
        self._job = yaml.safe_load((FOLDER / "pipeline.yml").read_text())
        self._inputs = {**self._job["inputs"], **inputs}

    def run(self) -> dict[str, Path]:
        """Run every step; where each has its outputs.

        Raises:
            StepFailedError: One did not succeed.
        """
        self._runs += 1
        folder = self._root / f"run-{self._runs}"
        for name, step in self._job["jobs"].items():
            self._step(folder, name, step)
        return {name: folder / name / "outputs" for name in self._job["jobs"]}

    def _step(self, folder: Path, name: str, step: Mapping[str, Any]) -> None:
        component = yaml.safe_load((FOLDER / step["component"]).read_text())
        here = folder / name
        (here / "work").mkdir(parents=True)
        inputs = {key: self._input(folder, here, key, about, step) for key, about in component["inputs"].items()}
        outputs = {key: self._output(here, key, step) for key in component.get("outputs", {})}
        places = {"inputs": inputs, "outputs": outputs}
        command = _PLACE.sub(lambda match: str(places[match[1]][match[2]]), component["command"])
        log = here / "std_log.txt"
        with log.open("wb") as file:
            shell = ["/bin/bash", "-c", command]
            done = subprocess.run(
                shell, check=False, cwd=here / "work", env=self._environment, stdout=file, stderr=file, timeout=300
            )
        if done.returncode:
            raise StepFailedError(f"{name}: {log.read_text()}")

    def _input(self, folder: Path, here: Path, key: str, about: Mapping[str, Any], step: Mapping[str, Any]) -> Any:
        """What stands in the command for an input: a value, an address, or a copy that is as good as a mount."""
        value = step["inputs"].get(key, about.get("default"))
        if isinstance(value, str) and (match := _PARENT.fullmatch(value)):
            own, job, output = match.groups()
            value = self._inputs[own] if own else folder / job / "outputs" / output
        source = self._local(value["path"]) if isinstance(value, dict) else value
        if about["type"] not in {"uri_folder", "uri_file", "mltable"}:
            return source
        if about.get("mode") == "direct":
            return f"azureml://datastores/workspaceblobstore/paths/{Path(source).relative_to(self._root)}"
        mount = here / "inputs" / key
        mount.parent.mkdir(exist_ok=True)
        (shutil.copytree if Path(source).is_dir() else shutil.copy)(source, mount)
        return mount

    def _output(self, here: Path, key: str, step: Mapping[str, Any]) -> Path:
        place = step.get("outputs", {}).get(key)
        mount = self._local(place["path"]) if place else here / "outputs" / key
        mount.mkdir(parents=True, exist_ok=True)
        return mount

    def _local(self, path: str) -> Path:
        if path == "azureml:edge-results@latest":
            return self._root / "edge_results"
        store, marker, inside = path.removeprefix("azureml://datastores/").partition("/paths/")
        return self._root / store / inside if marker else FOLDER / path


@dataclass
class Cloud:
    """Azure on loopback: the model registry of a workspace, and a vault.

    Attributes:
        secret: What the vault holds.
        refuses: Whether the workspace lets nobody in.
        models: What was registered, as it was sent, by name and version.
    """

    secret: str = ""
    refuses: bool = False
    models: dict[tuple[str, str], Any] = field(default_factory=dict)

    @contextmanager
    def running(self, tls: ssl.SSLContext) -> Iterator[str]:
        application = web.Application()
        workspace = "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.MachineLearningServices/workspaces/{w}"
        application.router.add_get(workspace + "/models/{name}", self._container)
        application.router.add_get(workspace + "/models/{name}/versions/{version}", self._read)
        application.router.add_put(workspace + "/models/{name}/versions/{version}", self._write)
        application.router.add_get("/secrets/signer", self._secret)
        with serving(application, tls) as base:
            yield base

    async def _container(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.json_response({"error": {"code": "AuthorizationFailed", "message": "no role"}}, status=403)
        if any(name == request.match_info["name"] for name, _ in self.models):
            return web.json_response({"properties": {}})
        return _missing()

    async def _read(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.json_response({"error": {"code": "AuthorizationFailed", "message": "no role"}}, status=403)
        there = self.models.get((request.match_info["name"], request.match_info["version"]))
        return self._shown(request, there) if there else _missing()

    async def _write(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"].startswith("Bearer ")
        sent = await request.json()
        self.models[request.match_info["name"], request.match_info["version"]] = sent
        return self._shown(request, sent)

    def _shown(self, request: web.Request, model: Any) -> web.Response:
        properties = {"flavors": {}, "stage": "None", **model["properties"]}
        about = {"id": request.path, "name": request.match_info["version"], "systemData": {}}
        return web.json_response({**about, "properties": properties})

    async def _secret(self, request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return web.json_response({"error": {"code": "Unauthorized"}}, status=401)
        return web.json_response({"value": self.secret, "id": str(request.url)})


def _missing() -> web.Response:
    return web.json_response({"error": {"code": "NotFound", "message": "there is none"}}, status=404)
