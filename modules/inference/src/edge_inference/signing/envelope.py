"""The JWS envelope that a signature is. Pure.

https://github.com/notaryproject/specifications/blob/main/specs/signature-envelope-jws.md
"""

import base64
import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from edge_inference.errors import SignatureExpiredError, SignatureInvalidError
from edge_inference.package import Descriptor, Json
from edge_inference.signing import algorithms
from edge_inference.signing.chain import check_chain, check_validity

ENVELOPE_TYPE: Final = "application/jose+json"
PAYLOAD_TYPE: Final = "application/vnd.cncf.notary.payload.v1+json"
SCHEME: Final = "notary.x509"

_SCHEME: Final = "io.cncf.notary.signingScheme"
_TIME: Final = "io.cncf.notary.signingTime"
_EXPIRY: Final = "io.cncf.notary.expiry"
_UNDERSTOOD: Final = {_SCHEME, _TIME, _EXPIRY}
_MOST_CERTIFICATES: Final = 10

_Base64Url = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
M = TypeVar("M", bound=BaseModel)


class _Header(BaseModel):
    """What is not signed; all but the chain is passed over."""

    x5c: Annotated[list[str], Field(min_length=1, max_length=_MOST_CERTIFICATES)]


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="forbid")

    payload: _Base64Url
    protected: _Base64Url
    header: _Header
    signature: _Base64Url

    @property
    def signed(self) -> bytes:
        return f"{self.protected}.{self.payload}".encode()


class _Protected(BaseModel):
    model_config = ConfigDict(strict=True)

    alg: str
    cty: Literal["application/vnd.cncf.notary.payload.v1+json"]
    crit: list[str]
    scheme: Annotated[Literal["notary.x509"], Field(alias=_SCHEME)]
    time: Annotated[AwareDatetime, Field(alias=_TIME)]
    expiry: Annotated[AwareDatetime | None, Field(alias=_EXPIRY)] = None


class _Payload(Json):
    target_artifact: Descriptor


def compose(
    key: algorithms.PrivateKey,
    chain: Sequence[x509.Certificate],
    target: Descriptor,
    at: datetime,
    expiry: datetime | None = None,
) -> bytes:
    """Sign an artifact.

    Args:
        key: The signer's.
        chain: The certificates of the signer and of those above it, the root last.
        target: What is signed.
        at: When.
        expiry: When it ends to count, if it does.

    Raises:
        SignatureInvalidError: No algorithm goes with the key.
    """
    protected: dict[str, Any] = {
        "alg": algorithms.algorithm_of(key.public_key()).name,
        "cty": PAYLOAD_TYPE,
        "crit": [_SCHEME],
        _SCHEME: SCHEME,
        _TIME: _stamp(at),
    }
    if expiry:
        protected["crit"].append(_EXPIRY)
        protected[_EXPIRY] = _stamp(expiry)
    described = target.model_dump(by_alias=True, include={"media_type", "digest", "size"})
    return seal(key, chain, protected, {"targetArtifact": described})


def seal(
    key: algorithms.PrivateKey, chain: Sequence[x509.Certificate], protected: dict[str, Any], payload: dict[str, Any]
) -> bytes:
    """Sign a payload under headers, whatever they say."""
    head, body = _encode(_json(protected)), _encode(_json(payload))
    envelope = {
        "payload": body,
        "protected": head,
        "header": {"x5c": [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain]},
        "signature": _encode(algorithms.sign(key, f"{head}.{body}".encode())),
    }
    return _json(envelope)


def check(
    data: bytes, target: Descriptor, roots: Collection[x509.Certificate], now: datetime
) -> Sequence[x509.Certificate]:
    """See that an envelope is a good signature of an artifact, and has not expired.

    Args:
        data: The envelope.
        target: What it should sign.
        roots: Those that are pinned.
        now: The time.

    Returns:
        The signer's chain, the signer first.

    Raises:
        SignatureInvalidError: It breaks a rule, is of something else, or nobody pinned vouches for it.
        SignatureExpiredError: It was good.
    """
    envelope = _read(_Envelope, data, "envelope")
    protected = _read(_Protected, _decode(envelope.protected), "protected headers")
    _check_critical(protected)
    chain = [_certificate(text) for text in envelope.header.x5c]
    _check_algorithm(protected.alg, chain[0])
    algorithms.check(chain[0].public_key(), _decode(envelope.signature), envelope.signed)
    check_chain(chain, roots)
    signed = _read(_Payload, _decode(envelope.payload), "payload").target_artifact
    if (signed.media_type, signed.digest, signed.size) != (target.media_type, target.digest, target.size):
        raise SignatureInvalidError(f"the signature is of {signed.digest}, {signed.size} bytes of {signed.media_type}")
    check_validity(chain, now)
    if protected.expiry and now >= protected.expiry:
        raise SignatureExpiredError(f"the signature expired at {protected.expiry}")
    return chain


def _check_critical(protected: _Protected) -> None:
    critical = {*protected.crit}
    if unknown := sorted(critical - _UNDERSTOOD):
        raise SignatureInvalidError(f"the signature has critical headers that are not understood: {', '.join(unknown)}")
    if critical - {_TIME} != {_SCHEME, *([_EXPIRY] if protected.expiry else ())}:
        raise SignatureInvalidError("the signature does not mark just what it has of scheme and expiry as critical")


def _check_algorithm(alg: str, signer: x509.Certificate) -> None:
    expected = algorithms.algorithm_of(signer.public_key()).name
    if alg != expected:
        raise SignatureInvalidError(f"the signature says that it is {alg}; a key as the signer's makes {expected}")


def _certificate(text: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
        certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureInvalidError(f"x5c holds something that is no certificate ({error})") from None
    return certificate


def _read(kind: type[M], data: bytes, what: str) -> M:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "JSON"
        raise SignatureInvalidError(f"the signature's {what} cannot be read: {where}: {first['msg']}") from None


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise SignatureInvalidError(f"the signature is not base64url ({error})") from None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
