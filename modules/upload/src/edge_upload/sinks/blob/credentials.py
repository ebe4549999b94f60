"""What opens a container: a mounted file that may be replaced while the module runs, or the machine's identity."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.credentials_async import AsyncTokenCredential

from edge_common.errors import ConfigurationError
from edge_upload.sinks import SinkDeniedError

Credential = AzureNamedKeyCredential | AzureSasCredential | AsyncTokenCredential


@dataclass(frozen=True, slots=True)
class AccountKey:
    """The key of a whole account."""

    account: str
    key: str = field(repr=False)

    def credential(self) -> AzureNamedKeyCredential:
        """As the SDK takes it."""
        return AzureNamedKeyCredential(self.account, self.key)


@dataclass(frozen=True, slots=True)
class Sas:
    """A shared access signature."""

    token: str = field(repr=False)

    def credential(self) -> AzureSasCredential:
        """As the SDK takes it."""
        return AzureSasCredential(self.token)


Secret = AccountKey | Sas


def parse(text: str) -> Secret:
    """A secret as administrators have it: a connection string, a SAS, or a URL with a SAS.

    Of a connection string only the key or the SAS counts; where the store is, the module's environment says.

    Raises:
        SinkDeniedError: It is none of them. The text is not repeated.
    """
    text = text.strip()
    fields = _fields(text)
    if "AccountName" in fields and "AccountKey" in fields:
        return AccountKey(fields["AccountName"], fields["AccountKey"])
    token = fields.get("SharedAccessSignature", text).rpartition("?")[2]
    if "sig=" in token and not any(character.isspace() for character in token):
        return Sas(token)
    raise SinkDeniedError("the file BLOB_CREDENTIALS holds neither a connection string nor a SAS")


class SecretFile:
    """A mounted file; it is read at each use, so it may be replaced at any time.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Secret:
        """What it holds now.

        Raises:
            SinkDeniedError: It cannot be read, or holds no secret.
        """
        try:
            return parse(self._path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SinkDeniedError(f"the file BLOB_CREDENTIALS ({self._path}) cannot be read: {reason}") from None


def identity() -> AsyncTokenCredential:
    """The identity that azure-identity finds: the environment's, a workload's, a managed one.

    Raises:
        ConfigurationError: azure-identity is not installed (extra ``identity``).
    """
    try:
        from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - optional
    except ImportError:
        raise ConfigurationError("BLOB_CREDENTIALS is not set, and azure-identity is not installed") from None
    return DefaultAzureCredential()


def _fields(text: str) -> Mapping[str, str]:
    pairs = (pair.partition("=") for pair in text.split(";") if pair)
    return {name.strip(): value for name, _, value in pairs}
