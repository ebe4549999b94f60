"""Envelopes: every rule broken once."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from edge_inference.errors import SignatureExpiredError, SignatureInvalidError
from edge_inference.package import digest_of
from edge_inference.signing import algorithms
from edge_inference.signing.envelope import check, compose, seal
from support.signers import LEAF, MIDDLE, NOW, ROOT, SIGNER, TARGET, Holder, issue

ROOTS = {ROOT.certificate}
SCHEME, TIME, EXPIRY = (f"io.cncf.notary.{what}" for what in ("signingScheme", "signingTime", "expiry"))
PLUGIN = "io.cncf.notary.verificationPlugin"

Document = dict[str, Any]
Change = Callable[[Document], object]


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def unchanged(_: Document) -> None:
    pass


def signed(by: Holder = LEAF, protected: Change = unchanged, payload: Change = unchanged, days: int = 0) -> bytes:
    """A signature whose signer broke the rules before signing."""
    sealed = json.loads(compose(by.key, by.chain, TARGET, NOW, NOW + timedelta(days=days) if days else None))
    head, body = json.loads(decode(sealed["protected"])), json.loads(decode(sealed["payload"]))
    protected(head)
    payload(body)
    return seal(by.key, by.chain, head, body)


def tampered(change: Change, by: Holder = LEAF) -> bytes:
    """A signature that was changed after it was made."""
    envelope: Document = json.loads(compose(by.key, by.chain, TARGET, NOW))
    change(envelope)
    return json.dumps(envelope).encode()


def judge(envelope: bytes, by: Holder = LEAF, days: float = 0) -> None:
    check(envelope, TARGET, {by.chain[-1]}, NOW + timedelta(days=days))


KEYS: dict[str, Callable[[], algorithms.PrivateKey]] = {
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS384": lambda: rsa.generate_private_key(65537, 3072),
    "PS512": lambda: rsa.generate_private_key(65537, 4096),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
}


@pytest.mark.parametrize("name", KEYS)
def test_each_kind_of_key_signs_with_its_algorithm(name: str) -> None:
    by = issue("signer", SIGNER, MIDDLE, KEYS[name]())
    envelope = compose(by.key, by.chain, TARGET, NOW, NOW + timedelta(days=1))
    assert check(envelope, TARGET, ROOTS, NOW) == list(by.chain)
    assert json.loads(decode(json.loads(envelope)["protected"]))["alg"] == name


def test_an_envelope_is_laid_out_as_specified() -> None:
    envelope = json.loads(compose(LEAF.key, LEAF.chain, TARGET, NOW, NOW + timedelta(days=1)))
    assert set(envelope) == {"payload", "protected", "header", "signature"}
    assert json.loads(decode(envelope["protected"])) == {
        "alg": "ES256",
        "cty": "application/vnd.cncf.notary.payload.v1+json",
        "crit": [SCHEME, EXPIRY],
        SCHEME: "notary.x509",
        TIME: "2026-06-01T00:00:00Z",
        EXPIRY: "2026-06-02T00:00:00Z",
    }
    assert json.loads(decode(envelope["payload"])) == {
        "targetArtifact": {"mediaType": TARGET.media_type, "digest": TARGET.digest, "size": 10}
    }
    assert len(envelope["header"]["x5c"]) == 3
    assert len(decode(envelope["signature"])) == 64


def test_a_self_signed_signer_may_be_pinned_itself() -> None:
    alone = issue("alone", SIGNER)
    judge(signed(alone), alone)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("is of sha256:", lambda body: body["targetArtifact"].update(digest=digest_of(b"another"))),
        ("is of sha256:", lambda body: body["targetArtifact"].update(size=11)),
        ("is of sha256:", lambda body: body["targetArtifact"].update(mediaType="text/plain")),
        ("payload cannot be read", lambda body: body.clear()),
    ],
)
def test_what_is_signed_must_be_the_target(reason: str, change: Change) -> None:
    with pytest.raises(SignatureInvalidError, match=reason):
        judge(signed(payload=change))


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("says that it is PS256", lambda head: head.update(alg="PS256")),
        ("says that it is ES384", lambda head: head.update(alg="ES384")),
        ("says that it is none", lambda head: head.update(alg="none")),
        ("says that it is HS256", lambda head: head.update(alg="HS256")),
        ("cty", lambda head: head.update(cty="application/json")),
        ("cty", lambda head: head.pop("cty")),
        ("not understood: b64", lambda head: head["crit"].append("b64")),
        ("not understood: io.cncf.notary.verificationPlugin", lambda head: head["crit"].append(PLUGIN)),
        ("crit", lambda head: head.pop("crit")),
        ("does not mark", lambda head: head.update(crit=[])),
        ("does not mark", lambda head: head["crit"].append(EXPIRY)),
        ("does not mark", lambda head: head.update({EXPIRY: "2099-01-01T00:00:00Z"})),
        ("signingScheme", lambda head: head.update({SCHEME: "notary.x509.signingAuthority"})),
        ("signingScheme", lambda head: head.pop(SCHEME)),
        ("signingTime", lambda head: head.pop(TIME)),
        ("signingTime", lambda head: head.update({TIME: "yesterday"})),
        ("signingTime", lambda head: head.update({TIME: "2026-06-01T00:00:00"})),
        ("signingTime", lambda head: head.update({TIME: 1780272000})),
    ],
)
def test_a_header_that_breaks_a_rule_is_refused_though_signed(reason: str, change: Change) -> None:
    with pytest.raises(SignatureInvalidError, match=reason):
        judge(signed(protected=change))


def test_headers_that_are_not_critical_are_passed_over() -> None:
    judge(signed(protected=lambda head: head.update(note="hello")))


def flip(envelope: Document, part: str) -> None:
    content = bytearray(decode(envelope[part]))
    content[len(content) // 2] ^= 1
    envelope[part] = encode(bytes(content))


def swap_payload(envelope: Document) -> None:
    other = {"targetArtifact": {"mediaType": TARGET.media_type, "digest": digest_of(b"evil"), "size": 4}}
    envelope["payload"] = encode(json.dumps(other).encode())


def swap_headers(envelope: Document) -> None:
    head = json.loads(decode(envelope["protected"]))
    envelope["protected"] = encode(json.dumps({**head, TIME: "2020-01-01T00:00:00Z"}).encode())


def as_der(envelope: Document) -> None:
    raw = decode(envelope["signature"])
    half = len(raw) // 2
    numbers = int.from_bytes(raw[:half]), int.from_bytes(raw[half:])
    der = algorithms._as_der(raw, half)
    assert decode_dss_signature(der) == numbers
    envelope["signature"] = encode(der)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("was changed", swap_payload),
        ("was changed", swap_headers),
        ("was changed", lambda envelope: flip(envelope, "signature")),
        ("was changed", lambda envelope: envelope.update(signature=encode(bytes(64)))),
        ("64 bytes long, not 7", as_der),
        ("64 bytes long, not 63", lambda envelope: envelope.update(signature=encode(bytes(63)))),
        ("x5c", lambda envelope: envelope["header"].pop("x5c")),
        ("x5c", lambda envelope: envelope["header"].update(x5c=[])),
        ("x5c", lambda envelope: envelope["header"].update(x5c=envelope["header"]["x5c"] * 4)),
        ("no certificate", lambda envelope: envelope["header"].update(x5c=["AAAA"])),
        ("no certificate", lambda envelope: envelope["header"].update(x5c=["?"])),
        ("was changed", lambda envelope: envelope["header"]["x5c"].reverse()),
        ("no pinned root", lambda envelope: envelope["header"]["x5c"].pop()),
        ("not issued by", lambda envelope: envelope["header"]["x5c"].pop(1)),
        ("twice", lambda envelope: envelope["header"]["x5c"].append(envelope["header"]["x5c"][2])),
        ("signatures", lambda envelope: envelope.update(signatures=[])),
        ("payload", lambda envelope: envelope.pop("payload")),
        ("signature", lambda envelope: envelope.update(signature="a+b/")),
        ("base64url", lambda envelope: envelope.update(signature="abcde")),
    ],
)
def test_what_was_changed_after_signing_is_refused(reason: str, change: Change) -> None:
    with pytest.raises(SignatureInvalidError, match=reason):
        judge(tampered(change))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"a.b.c"])
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(SignatureInvalidError, match="envelope cannot be read"):
        judge(data)


@pytest.mark.parametrize("salt", [0, 20, 48])
def test_rsa_must_have_a_salt_as_long_as_the_hash(salt: int) -> None:
    key = rsa.generate_private_key(65537, 2048)
    by = issue("signer", SIGNER, MIDDLE, key)

    def sign_again(envelope: Document) -> None:
        data = f"{envelope['protected']}.{envelope['payload']}".encode()
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        envelope["signature"] = encode(key.sign(data, pss, hashes.SHA256()))

    with pytest.raises(SignatureInvalidError, match="was changed"):
        judge(tampered(sign_again, by), by)


def test_old_rsa_padding_is_refused() -> None:
    key = rsa.generate_private_key(65537, 2048)
    by = issue("signer", SIGNER, MIDDLE, key)

    def sign_again(envelope: Document) -> None:
        data = f"{envelope['protected']}.{envelope['payload']}".encode()
        envelope["signature"] = encode(key.sign(data, padding.PKCS1v15(), hashes.SHA256()))

    with pytest.raises(SignatureInvalidError, match="was changed"):
        judge(tampered(sign_again, by), by)


def test_another_key_under_the_signers_certificate_is_found_out() -> None:
    thief = Holder(ec.generate_private_key(ec.SECP256R1()), LEAF.certificate, LEAF.above)
    with pytest.raises(SignatureInvalidError, match="was changed"):
        judge(signed(thief))


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 2560),
    ],
)
def test_no_other_keys_sign(key: Any) -> None:
    with pytest.raises(SignatureInvalidError, match="none of RSA 2048"):
        algorithms.algorithm_of(key.public_key())


def test_a_signature_expires() -> None:
    envelope = signed(days=2)
    judge(envelope, days=1.9)
    with pytest.raises(SignatureExpiredError, match="the signature expired at 2026-06-03"):
        judge(envelope, days=2)


def test_the_signers_certificate_expires() -> None:
    short = issue("signer", SIGNER, MIDDLE, until=NOW + timedelta(days=365))
    judge(signed(short), short, days=365)
    with pytest.raises(SignatureExpiredError, match=r"'CN=signer' expired"):
        judge(signed(short), short, days=366)


def test_what_is_bad_is_bad_even_when_expired() -> None:
    with pytest.raises(SignatureInvalidError):
        judge(tampered(swap_payload), days=365_000)
