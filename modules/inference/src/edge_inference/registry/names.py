"""What things in registries are called: ``<registry>/<repository>[:<tag>][@<digest>]``."""

import re
from dataclasses import dataclass
from typing import Final, Self

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_PORT: Final = r":[0-9]{1,5}"
_HOST: Final = rf"(?:{_LABEL}(?:\.{_LABEL})+(?:{_PORT})?|localhost(?:{_PORT})?|{_LABEL}{_PORT})"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_NAME: Final = re.compile(
    rf"(?P<registry>{_HOST})/(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_MOST_CHARACTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class RegistryName:
    """A place in a registry.

    Attributes:
        registry: Host, and port where it is not the usual one.
        repository: Path in the registry.
        tag: Empty where there is none.
        digest: Empty where it is not pinned.
    """

    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name.

        Raises:
            ValueError: It is none.
        """
        match = _NAME.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
        if match is None:
            raise ValueError(f"{text[:100]!r} is not <registry>/<repository>[:<tag>][@sha256:<64 hex>]")
        return cls(*(part or "" for part in match.group("registry", "repository", "tag", "digest")))

    @property
    def reference(self) -> str:
        """What picks the manifest: the digest, or else the tag, or else ``latest``."""
        return self.digest or self.tag or "latest"

    @property
    def pinned(self) -> str:
        """The name as a twin takes it, where there is a digest."""
        return f"{self.registry}/{self.repository}@{self.digest}"
