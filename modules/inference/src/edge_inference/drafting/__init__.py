"""Writes a first contract for a graph: what the graph says is taken from it, the rest is asked."""

from collections.abc import Mapping

from pydantic import ValidationError

from edge_common.contract import Contract
from edge_inference.drafting.inputs import draft_input
from edge_inference.drafting.outputs import draft_output
from edge_inference.drafting.questions import Ask
from edge_inference.outputs import interpreter
from edge_inference.session import Port


def draft(inputs: Mapping[str, Port], outputs: Mapping[str, Port], ask: Ask) -> Contract:
    """A first contract.

    Args:
        inputs: What the graph takes.
        outputs: What it gives.
        ask: Answers what the graph does not say.

    Raises:
        ValueError: The graph takes several inputs, or an answer makes no sense.
        ContractMismatchError: The answers do not fit the graph.
    """
    if len(inputs) != 1:
        raise ValueError(f"a graph with one input is wanted; this takes {[*inputs]}")
    [(name, port)] = inputs.items()
    halves = {"schema": 1, "input": draft_input(name, port, ask), "output": draft_output(outputs, ask)}
    try:
        contract = Contract.model_validate(halves)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    interpreter(contract).check({output: given.shape for output, given in outputs.items()})
    return contract
