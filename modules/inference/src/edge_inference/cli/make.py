"""Commands that make a package: a first contract, a reference of the input, the package itself."""

from pathlib import Path

import click
import numpy as np

from edge_common.files import write_atomically
from edge_inference import layout as layouts
from edge_inference.cli.common import FILE, FOLDER, errors
from edge_inference.drafting import draft
from edge_inference.drafting.questions import Answers, likely
from edge_inference.drift.making import make_reference
from edge_inference.drift.reference import BINS
from edge_inference.onnx_session import OnnxSession
from edge_inference.package import CONTRACT, DRIFT


@click.command()
@click.argument("model", type=FILE)
@click.option("--set", "known", multiple=True, metavar="KEY=VALUE", help="An answer, such as output.labels=cat,dog.")
@click.option("--yes", is_flag=True, help="Ask nothing: take what is likely, and fail where nothing is.")
def init(model: Path, known: tuple[str, ...], *, yes: bool) -> None:
    """Write a first contract.json beside MODEL, an ONNX file: asks what the graph does not say.

    Each question has a key, which stands before it.
    """
    with errors():
        path = model.with_name(CONTRACT)
        if path.exists():
            raise ValueError(f"{path} is there already")
        answers = Answers(dict(map(_pair, known)), likely if yes else _prompt)
        session = OnnxSession(model, ["CPUExecutionProvider"])
        contract = draft(session.inputs, session.outputs, answers)
        if answers.unused:
            raise ValueError(f"nothing asks for {', '.join(answers.unused)}")
        path.write_text(contract.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n", "utf-8")
    click.echo(path)


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"{text!r} is not KEY=VALUE")
    return key, value


def _prompt(key: str, text: str, default: str | None = None) -> str:
    return str(click.prompt(f"{key}: {text}", default=default))


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", required=True, help="The model's name.")
@click.option("--version", required=True, help="The model's version.")
@click.option("--layout", required=True, type=FOLDER, help="The OCI image layout to add to.")
def pack(folder: Path, name: str, version: str, layout: Path) -> None:
    """Check the package in FOLDER and add it to a layout; prints the pinned reference.

    FOLDER holds model.onnx, contract.json and whatever else belongs to the model.
    """
    with errors():
        click.echo(layouts.pack(folder, layout, name, version))


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("samples", type=FILE)
@click.option("--bins", type=click.IntRange(2, 256), default=BINS, show_default=True, help="Bins of each feature.")
def reference(folder: Path, samples: Path, bins: int) -> None:
    """Write drift.json to the package in FOLDER, by which a device sees that its input has drifted.

    SAMPLES is a .npy file of what the model is meant for, prepared as its contract says.
    """
    with errors():
        made = make_reference(folder, np.load(samples, mmap_mode="r", allow_pickle=False), bins)
        write_atomically(folder / DRIFT, made.model_dump_json(indent=2).encode())
    click.echo(f"{folder / DRIFT}: {', '.join(made.features)}")
