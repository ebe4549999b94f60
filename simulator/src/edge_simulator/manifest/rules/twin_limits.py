"""What IoT Hub refuses to store in a twin."""

from collections.abc import Iterator

from edge_simulator.errors import TwinError
from edge_simulator.hub.twin_rules import check_patch, check_size
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.expansion import with_chunked_options
from edge_simulator.manifest.subject import Finding, Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find desired properties over the limits of size, depth, names and values."""
    for module, desired in subject.content.desired.items():
        try:
            check_size(check_patch(with_chunked_options(desired)))
        except TwinError as error:
            yield Finding(subject.content.place(module), str(error), "twins configure; put data into files")
        except ManifestError:
            continue  # a finding of the rule for createOptions
