"""The input half that samples are prepared under."""

import json
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from edge_common.contract import Input
from edge_mlops.errors import InputError

_INPUT: Final[TypeAdapter[Any]] = TypeAdapter(Input)


def read_input(file: Path) -> Input:
    """The input half in a contract, or alone in a file.

    Raises:
        InputError: It is none.
    """
    try:
        document = json.loads(file.read_bytes())
        wanted: Input = _INPUT.validate_python(document.get("input", document))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{file}: {error}") from error
    return wanted
