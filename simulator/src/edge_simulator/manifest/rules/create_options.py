"""createOptions that cannot be read, or do not fit into their chunks."""

from collections.abc import Iterator

from edge_simulator.manifest import options
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.subject import Finding, ModuleEntry, Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find malformed and overlong createOptions."""
    for module in subject.all_modules:
        yield from _malformed(module)
        characters = len(options.minified(module.options.raw))
        if characters > options.CHUNK_CHARACTERS * options.MAX_CHUNKS:
            reason = f"take {characters} characters, {options.MAX_CHUNKS} chunks hold {options.CHUNK_CHARACTERS} each"
            yield Finding(module.in_options(), reason, "shorten them, for example by moving variables into env")


def _malformed(module: ModuleEntry) -> Iterator[Finding]:
    try:
        module.read_options()
    except ManifestError as error:
        yield Finding(module.in_options(), str(error), "correct them as in Docker's API for creating containers")
