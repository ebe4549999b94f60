"""The inference module alone on a Kubernetes cluster, where it serves HTTP: image, limits and trust as in the suite."""

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any, Final

from edge_simulator.manifest import options
from edge_simulator.manifest.content import DESIRED
from edge_simulator.manifest.variables import expand

TARGET: Final = "kubernetes"

_TEMPLATES: Final = Path(__file__).with_name("templates")
_POD: Final = re.compile(r"^( *)\$\{POD\}\n", re.MULTILINE)
_SHARED: Final = ("LOG_LEVEL", "ALLOWED_REGISTRIES", "TRUST_POLICY")


def deployment(suite: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """Deployment, Service, NetworkPolicy and autoscaler, as YAML.

    Args:
        suite: The suite's manifest.
        env: Names the model: `MODEL_NAME`, `MODEL_VERSION` and `MODEL_REF`.
    """
    return _filled("deployment.yaml", suite, {**env, "CONTAINER": "inference"})


def kserve(suite: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """The same as KServe's InferenceService, which knows the serving container by its name."""
    return _filled("inferenceservice.yaml", suite, {**env, "CONTAINER": "kserve-container"})


def _filled(name: str, suite: Mapping[str, Any], env: Mapping[str, str]) -> str:
    pod = (_TEMPLATES / "pod.yaml").read_text(encoding="utf-8")
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    return expand(_POD.sub(lambda place: indent(pod, place[1]), text), {**env, **_values(suite["modulesContent"])})


def _values(content: Mapping[str, Any]) -> Mapping[str, str]:
    entry = content["$edgeAgent"][DESIRED]["modules"]["inference"]
    create = options.join(entry["settings"])
    user, group = create["User"].split(":")
    has_gpu = create["HostConfig"]["Runtime"] == "nvidia"
    return {
        **{name: entry["env"][name]["value"] for name in _SHARED},
        "IMAGE": entry["settings"]["image"],
        "USER": user,
        "GROUP": group,
        "MEMORY": str(create["HostConfig"]["Memory"]),
        "GPUS": str(int(has_gpu)),
        "REQUIRE_GPU": str(has_gpu).lower(),
    }
