"""The images that containers are made from."""

from docker import APIClient
from docker.errors import APIError, ImageNotFound
from docker.utils import parse_repository_tag

from edge_simulator.agent.containers.client import explained
from edge_simulator.errors import ContainerError
from edge_simulator.manifest import ModuleSpec


def have(client: APIClient, spec: ModuleSpec) -> None:
    """Have a module's image in the engine: what is there is taken, and all else pulled, where the policy allows it.

    Raises:
        ContainerError: it cannot be had.
    """
    with explained(f"image {spec.image}"):
        try:
            client.inspect_image(spec.image)
        except ImageNotFound:
            _pull(client, spec)


def _pull(client: APIClient, spec: ModuleSpec) -> None:
    missing = f"image {spec.image} is not here"
    if spec.pull_policy == "never":
        raise ContainerError(f"{missing}, and imagePullPolicy is never: build it, or load it")
    # Without a login the engine's client would look for the user's own, which a device does not have either.
    login = {"username": spec.login.username, "password": spec.login.password} if spec.login else {}
    repository, tag = parse_repository_tag(spec.image)
    hint = "build it, start its registry, or have the registry's login in registryCredentials"
    try:
        for line in client.pull(repository, tag or "latest", stream=True, decode=True, auth_config=login):
            if "error" in line:
                raise ContainerError(f"{missing}, and the registry does not give it ({line['error']}): {hint}")
    except APIError as error:
        raise ContainerError(f"{missing}, and cannot be pulled ({error.explanation}): {hint}") from error
