"""Images whose name means another image tomorrow."""

from collections.abc import Iterator

from edge_simulator.manifest.subject import Finding, Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find images without a tag or digest, and such with the tag `latest`, which is what edgeAgent adds."""
    for module in subject.all_modules:
        name = module.image.rpartition("/")[2]
        if module.image and "@" not in name and name.partition(":")[2] in ("", "latest"):
            reason = f"{module.image} is whatever was pushed last"
            yield Finding((*module.path, "settings", "image"), reason, "name a version, or pin the digest")
