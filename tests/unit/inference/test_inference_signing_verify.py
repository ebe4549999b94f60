"""Signatures found in layouts and registries, judged under each policy."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from edge_common.errors import ConfigurationError
from edge_inference.errors import (
    DigestMismatchError,
    ModelError,
    SignatureExpiredError,
    SignatureInvalidError,
    SignatureMissingError,
)
from edge_inference.layout import attach
from edge_inference.package import MANIFEST_TYPE, Descriptor, blob_name, digest_of
from edge_inference.signing.envelope import compose
from edge_inference.signing.local import LayoutReferrers
from edge_inference.signing.manifest import SIGNATURE_TYPE, Signature
from edge_inference.signing.notary import Notary
from edge_inference.signing.referrers import INDEX_TYPE, REF_NAME, NoReferrers, Referrers, fallback_tag
from edge_inference.signing.signer import Signer
from edge_inference.signing.trust import Trust, TrustPolicy, read_certificates
from edge_inference.signing.verify import Attestation, verify
from support.signers import LEAF, MIDDLE, NOW, ROOT, SIGNER, TARGET, Holder, authority, issue

ROOTS = {ROOT.certificate}
FOREIGN = issue("stranger", SIGNER, issue("elsewhere", authority()))


def sign(layout: Path, by: Holder = LEAF, target: Descriptor = TARGET, expiry: datetime | None = None) -> Signature:
    signature = Signer(by.key, by.chain).sign(target, NOW, expiry)
    attach(layout, signature)
    return signature


def judge(layout: Path) -> Attestation:
    return verify(TARGET, LayoutReferrers(layout), ROOTS, NOW)


def test_a_good_signature_says_whose_it_is(tmp_path: Path) -> None:
    signature = sign(tmp_path)
    found = judge(tmp_path)
    assert found.signer == "'CN=signer'"
    assert found.signature.manifest == signature.manifest


def test_the_manifest_of_a_signature_is_laid_out_as_specified(tmp_path: Path) -> None:
    signature = sign(tmp_path)
    envelope = signature.blobs[1]
    thumbprints = json.loads(
        json.loads(signature.manifest)["annotations"].pop("io.cncf.notary.x509chain.thumbprint#S256")
    )
    assert thumbprints == [digest_of(each).removeprefix("sha256:").upper() for each in map(as_der, LEAF.chain)]
    assert {**json.loads(signature.manifest), "annotations": {}} == {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": SIGNATURE_TYPE,
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
        },
        "layers": [{"mediaType": "application/jose+json", "digest": digest_of(envelope), "size": len(envelope)}],
        "subject": {"mediaType": TARGET.media_type, "digest": TARGET.digest, "size": TARGET.size},
        "annotations": {},
    }


def as_der(certificate: Any) -> bytes:
    der: bytes = certificate.public_bytes(Encoding.DER)
    return der


def test_without_a_signature_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(SignatureMissingError, match=r"nothing signs sha256:.*edge-model sign"):
        judge(tmp_path)
    sign(tmp_path, target=TARGET.model_copy(update={"digest": digest_of(b"another")}))
    with pytest.raises(SignatureMissingError):
        judge(tmp_path)
    with pytest.raises(SignatureMissingError):
        verify(TARGET, NoReferrers(), ROOTS, NOW)


def test_one_good_signature_among_bad_ones_is_enough(tmp_path: Path) -> None:
    sign(tmp_path, FOREIGN)
    sign(tmp_path, expiry=NOW)
    rewrite(tmp_path, sign(tmp_path, FOREIGN), b"torn")
    sign(tmp_path)
    sign(tmp_path, FOREIGN)
    assert judge(tmp_path).signer == "'CN=signer'"


def test_of_several_bad_ones_the_nearest_is_told(tmp_path: Path) -> None:
    rewrite(tmp_path, sign(tmp_path, FOREIGN), b"torn")
    with pytest.raises(DigestMismatchError):
        judge(tmp_path)
    sign(tmp_path, issue("other", SIGNER, issue("elsewhere", authority())))
    with pytest.raises(SignatureInvalidError, match="no pinned root"):
        judge(tmp_path)
    sign(tmp_path, expiry=NOW)
    with pytest.raises(SignatureExpiredError):
        judge(tmp_path)


def rewrite(layout: Path, signature: Signature, content: bytes) -> None:
    (layout / blob_name(digest_of(signature.blobs[1]))).write_bytes(content)


def test_a_signature_moved_to_another_target_is_refused(tmp_path: Path) -> None:
    other = TARGET.model_copy(update={"digest": digest_of(b"another")})
    moved = json.loads(Signer(LEAF.key, LEAF.chain).sign(other, NOW).manifest)
    moved["subject"] = TARGET.model_dump(by_alias=True, exclude={"annotations"})
    envelope = compose(LEAF.key, LEAF.chain, other, NOW)
    moved["layers"][0].update(digest=digest_of(envelope), size=len(envelope))
    attach(tmp_path, Signature(json.dumps(moved).encode(), [envelope]))
    with pytest.raises(SignatureInvalidError, match="the signature is of"):
        judge(tmp_path)


def changed(tmp_path: Path, **changes: Any) -> None:
    signature = Signer(LEAF.key, LEAF.chain).sign(TARGET, NOW)
    attach(tmp_path, Signature(json.dumps({**json.loads(signature.manifest), **changes}).encode(), signature.blobs))


def test_signatures_from_before_oci_1_1_count(tmp_path: Path) -> None:
    config = {"mediaType": SIGNATURE_TYPE, "digest": digest_of(b"{}"), "size": 2}
    changed(tmp_path, artifactType="", config=config)
    judge(tmp_path)


def test_other_envelopes_are_not_understood(tmp_path: Path) -> None:
    changed(tmp_path, layers=[{"mediaType": "application/cose", "digest": digest_of(b""), "size": 0}])
    with pytest.raises(SignatureInvalidError, match="application/jose"):
        judge(tmp_path)


def test_what_says_that_it_is_something_else_is_no_signature(tmp_path: Path) -> None:
    changed(tmp_path, artifactType="application/vnd.example.sbom")
    with pytest.raises(SignatureMissingError):
        judge(tmp_path)


def test_what_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    changed(tmp_path, layers=[{"mediaType": "application/jose+json", "digest": digest_of(b""), "size": 1 << 30}])
    with pytest.raises(SignatureInvalidError, match="more than"):
        judge(tmp_path)


def test_entries_that_do_not_say_what_they_are_are_looked_into(tmp_path: Path) -> None:
    sign(tmp_path)
    index = json.loads((tmp_path / "index.json").read_bytes())
    del index["manifests"][0]["artifactType"]
    (tmp_path / "index.json").write_text(json.dumps(index))
    judge(tmp_path)


def test_an_index_under_the_fallback_tag_is_found(tmp_path: Path) -> None:
    sign(tmp_path)
    index = (tmp_path / "index.json").read_bytes()
    (tmp_path / blob_name(digest_of(index))).write_bytes(index)
    entry = {"mediaType": INDEX_TYPE, "digest": digest_of(index), "size": len(index)}
    for tag in ("sha256-" + "0" * 64, fallback_tag(TARGET.digest)):
        tagged = {**entry, "annotations": {REF_NAME: tag}}
        (tmp_path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [tagged]}))
        if tag == fallback_tag(TARGET.digest):
            judge(tmp_path)
        else:
            with pytest.raises(SignatureMissingError):
                judge(tmp_path)


class Away:
    """A source that nobody reaches."""

    def referring_to(self, digest: str) -> list[Descriptor]:
        raise DigestMismatchError(digest)

    def fetch(self, blob: Descriptor) -> bytes:
        raise DigestMismatchError(blob.digest)


class Court:
    """A notary with pinned roots."""

    def __init__(self, folder: Path, policy: TrustPolicy, now: datetime = NOW) -> None:
        self.layout = folder / "layout"
        self.roots = ROOT.pin(folder / "roots").parent
        self.now = now
        self.notary = Notary(Trust(policy, self.roots), folder / "kept", lambda: self.now)

    def judge(self, referrers: Referrers | None = None) -> tuple[str, ModelError | None]:
        verdict = self.notary.judge(TARGET, referrers or LayoutReferrers(self.layout), lambda _: None)
        return verdict.signer, verdict.problem


def test_strict_takes_the_good_and_refuses_the_rest(tmp_path: Path) -> None:
    court = Court(tmp_path, TrustPolicy.STRICT)
    with pytest.raises(SignatureMissingError):
        court.judge()
    sign(court.layout, FOREIGN)
    with pytest.raises(SignatureInvalidError):
        court.judge()
    sign(court.layout)
    assert court.judge() == ("'CN=signer'", None)


def test_audit_tells_and_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    court = Court(tmp_path, TrustPolicy.AUDIT)
    signer, problem = court.judge()
    assert signer == ""
    assert isinstance(problem, SignatureMissingError)
    assert "SIGNATURE_MISSING" in caplog.text
    sign(court.layout)
    assert court.judge() == ("'CN=signer'", None)


def test_off_does_not_look() -> None:
    notary = Notary(Trust(TrustPolicy.OFF, None), Path("/nonexistent"), lambda: NOW)
    assert notary.judge(TARGET, Away(), lambda _: None).problem is None


def test_a_good_signature_is_kept_for_when_its_source_is_away_and_expires_all_the_same(tmp_path: Path) -> None:
    court = Court(tmp_path, TrustPolicy.STRICT)
    with pytest.raises(DigestMismatchError):
        court.judge(Away())
    sign(court.layout, expiry=NOW + timedelta(days=1))
    court.judge()
    assert court.judge(Away()) == ("'CN=signer'", None)
    court.now += timedelta(days=1)
    with pytest.raises(SignatureExpiredError):
        court.judge()


def test_roots_can_be_exchanged(tmp_path: Path) -> None:
    court = Court(tmp_path, TrustPolicy.STRICT)
    sign(court.layout)
    court.judge()
    FOREIGN.pin(court.roots)
    with pytest.raises(SignatureInvalidError, match="no pinned root"):
        court.judge()
    (court.roots / "root.pem").unlink()
    with pytest.raises(SignatureInvalidError, match="no signature can be verified"):
        court.judge()


def test_a_policy_without_roots_stops_the_module() -> None:
    with pytest.raises(ConfigurationError, match="TRUST_ROOTS must name"):
        Trust(TrustPolicy.STRICT, None)


def test_certificates_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nonsense")
    for path, reason in ((tmp_path, "no PEM certificates"), (tmp_path / "none", "No such file")):
        with pytest.raises(ConfigurationError, match=reason):
            read_certificates(path)


def test_a_signer_whose_signatures_would_be_refused_signs_nothing() -> None:
    with pytest.raises(ConfigurationError, match="not that of the chain's first"):
        Signer(FOREIGN.key, LEAF.chain)
    with pytest.raises(SignatureInvalidError, match="may not sign"):
        Signer(MIDDLE.key, MIDDLE.chain)
    with pytest.raises(SignatureInvalidError, match="not issued by"):
        Signer(LEAF.key, LEAF.chain[:2])
