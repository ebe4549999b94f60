"""What a component's command says to ``edge-mlops``, read by the parser that will read it."""

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

import click

from edge_mlops.cli import main

JOBS: Final = "AZUREML_"
"""How variables begin that every job has."""
PROGRAM: Final = "edge-mlops"
PLACE: Final = re.compile(r"\$\{\{(inputs|outputs)\.(\w+)\}\}")


def wrong(command: str, inputs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What ``edge-mlops`` would not take of a shell command.

    Args:
        command: The component's.
        inputs: The component's; those with an ``enum`` are tried with each value.
    """
    calls = [*_calls(command)]
    if not calls:
        yield f"it does not call {PROGRAM}"
    for call in calls:
        yield from dict.fromkeys(found for words in _values(call, inputs) for found in _wrong(words))


def _calls(command: str) -> Iterator[list[str]]:
    """The words after each ``edge-mlops``, up to the end of that command."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] | None = None
    for word in lexer:
        if word == PROGRAM:
            words = []
        elif words is not None and set(word) <= set("();<>|&"):
            yield words
            words = None
        elif words is not None:
            words.append(word)
    if words is not None:
        yield words


def _values(call: list[str], inputs: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """The same words with values in the place of inputs."""

    def choices(word: str) -> list[str]:
        match = PLACE.fullmatch(word)
        about = inputs.get(match[2], {}) if match and match[1] == "inputs" else {}
        return [*map(str, about.get("enum") or [about.get("default", word)])]

    yield from map(list, product(*map(choices, call)))


def _wrong(words: list[str]) -> Iterator[str]:
    step = main.commands.get(words[0]) if words else None
    if step is None:
        yield f"{PROGRAM} has no command {words[0] if words else ''!r}"
        return
    try:
        with click.Context(step, info_name=words[0]) as context:
            given, rest, _ = step.make_parser(context).parse_args(words[1:])
            for parameter in step.params:
                _check(context, parameter, given.get(parameter.name or ""))
    except click.ClickException as error:
        yield f"{words[0]}: {error.format_message()}"
    else:
        if rest:
            yield f"{words[0]}: {' '.join(rest)} is too much"


def _check(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """See that what must be there is, and that a value is one of the choices, or a number; paths are elsewhere."""
    of_job = str(parameter.envvar or "").startswith(JOBS)
    if parameter.required and not isinstance(value, str) and not of_job:
        raise click.MissingParameter(ctx=context, param=parameter)
    if isinstance(value, str) and isinstance(parameter.type, click.Choice | click.IntRange):
        parameter.type_cast_value(context, value)
