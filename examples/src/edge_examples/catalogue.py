"""The examples by name; a further one is a further package beside this file, and a line here."""

from collections.abc import Mapping
from typing import Final

from edge_examples.detection.example import DETECTION
from edge_examples.digits.example import DIGITS
from edge_examples.example import Example
from edge_examples.sound.example import SOUND
from edge_examples.telecom.example import TELECOM

EXAMPLES: Final[Mapping[str, Example]] = {example.name: example for example in (DIGITS, TELECOM, SOUND, DETECTION)}
