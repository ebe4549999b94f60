"""What a registry answers who comes without a token.

https://distribution.github.io/distribution/spec/auth/token/
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_CHALLENGE: Final = re.compile(r"\s*(?P<scheme>[A-Za-z]+)(?:\s+(?P<rest>.*))?", re.DOTALL)
_PARAMETER: Final = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


@dataclass(frozen=True, slots=True)
class Challenge:
    """One ``WWW-Authenticate``: ``scheme`` is in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def read_challenge(headers: Iterable[str]) -> Challenge | None:
    """The challenge to answer: bearer tokens before passwords; None where there is neither."""
    found = {challenge.scheme: challenge for challenge in map(_read, headers)}
    return found.get("bearer") or found.get("basic")


def _read(header: str) -> Challenge:
    match = _CHALLENGE.match(header)
    if match is None:
        return Challenge("", {})
    values = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(match["rest"] or "")}
    return Challenge(match["scheme"].lower(), values)
