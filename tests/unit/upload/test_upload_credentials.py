"""What administrators mount."""

from pathlib import Path

import pytest

from edge_upload.sinks import SinkDeniedError
from edge_upload.sinks.blob.credentials import AccountKey, Sas, SecretFile, parse

SAS = "sv=2019-07-07&sr=c&sp=rw&sig=c2VjcmV0%3D"
STRING = "DefaultEndpointsProtocol=https;AccountName=edge;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (STRING, AccountKey("edge", "c2VjcmV0")),
        (STRING.replace("c2VjcmV0", "c2VjcmV0==") + "\n", AccountKey("edge", "c2VjcmV0==")),
        (SAS, Sas(SAS)),
        (f"?{SAS}\n", Sas(SAS)),
        (f"https://edge.blob.core.windows.net/results?{SAS}", Sas(SAS)),
        (f"BlobEndpoint=https://edge.blob.core.windows.net;SharedAccessSignature={SAS}", Sas(SAS)),
    ],
)
def test_each_form_is_understood(text: str, secret: AccountKey | Sas) -> None:
    assert parse(text) == secret


@pytest.mark.parametrize("text", ["", "c2VjcmV0", "AccountName=edge", "AccountKey=c2VjcmV0", f"here it is: {SAS}"])
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(SinkDeniedError) as refused:
        parse(text)
    assert "c2VjcmV0" not in str(refused.value)


@pytest.mark.parametrize("text", [STRING, SAS])
def test_no_secret_shows_itself(text: str) -> None:
    assert "c2VjcmV0" not in repr(parse(text))


def test_a_file_that_is_not_there_or_no_text_says_which(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    with pytest.raises(SinkDeniedError, match=r"credentials\) cannot be read: No such file"):
        SecretFile(file).read()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SinkDeniedError, match="no text"):
        SecretFile(file).read()
