"""What is asked of the container engine, through its command."""

import subprocess
from collections.abc import Sequence
from pathlib import Path


class EngineError(Exception):
    """The engine, or another command, failed; its last words tell why."""


def run(*command: str, given: Path | None = None) -> str:
    """Run a command and return what it prints.

    Args:
        command: The program and its arguments.
        given: A file for its standard input.

    Raises:
        EngineError: It is not installed, or it failed.
    """
    text = given.read_bytes() if given else b""
    try:
        done = subprocess.run(command, input=text, capture_output=True, check=True)
    except FileNotFoundError:
        raise EngineError(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        words = b"\n".join((error.stdout, error.stderr)).decode(errors="replace").strip()
        raise EngineError(f"{' '.join(command[:3])} … failed:\n{words[-2000:]}") from None
    return done.stdout.decode().strip()


def build(dockerfile: Path, tags: Sequence[str], arguments: dict[str, str], context: Path) -> None:
    """Build an image of what is in a folder, with no network: the wheels lie ready.

    Raises:
        EngineError: It failed.
    """
    named = [word for tag in tags for word in ("--tag", tag)]
    given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    run("docker", "build", "--quiet", "--network", "none", *named, *given, "--file", str(dockerfile), str(context))


def python(image: str, program: Path) -> str:
    """Run a Python program in a container of an image, and return what it prints.

    Raises:
        EngineError: It failed.
    """
    options = ("--rm", "--interactive", "--network", "none", "--entrypoint", "python")
    return run("docker", "run", *options, image, "-", given=program)


def size(image: str) -> int:
    """Return the size of an image, unpacked, in bytes."""
    return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))


def label(image: str, name: str) -> str:
    """Return a label of an image, empty if it has none of that name."""
    return run("docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{name}"}}}}', image)


def digest(image: str, repository: str) -> str:
    """Return `repository@sha256:…` of an image that was pushed.

    Raises:
        EngineError: It was not pushed there.
    """
    known = run("docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', image).splitlines()
    for name in known:
        if name.startswith(f"{repository}@"):
            return name
    raise EngineError(f"{image} has no digest in {repository}")
