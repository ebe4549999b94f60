"""Certificates: every rule broken once."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from edge_inference.errors import SignatureExpiredError, SignatureInvalidError
from edge_inference.signing.chain import check_chain, check_validity
from support.signers import CRITICAL, LEAF, MIDDLE, NOW, ROOT, SIGNER, Extensions, Holder, authority, issue, usage

SIGNING = (usage("digital_signature"), CRITICAL)
CA = (x509.BasicConstraints(ca=True, path_length=None), CRITICAL)
CERTIFYING = (usage("key_cert_sign"), CRITICAL)


def judge(holder: Holder) -> None:
    check_chain(holder.chain, {ROOT.certificate})


@pytest.mark.parametrize(
    "extensions",
    [
        SIGNER,
        [SIGNING],
        [(usage("digital_signature", "content_commitment"), CRITICAL)],
        [SIGNING, (x509.BasicConstraints(ca=False, path_length=None), CRITICAL)],
        [SIGNING, (x509.BasicConstraints(ca=False, path_length=None), not CRITICAL)],
    ],
)
def test_a_signer_under_a_pinned_root_is_good(extensions: Extensions) -> None:
    judge(issue("signer", extensions, MIDDLE))
    judge(issue("signer", extensions, ROOT))


def test_a_foreign_root_is_refused_even_under_the_same_name() -> None:
    foreign = issue("signer", SIGNER, issue("root", authority()))
    with pytest.raises(SignatureInvalidError, match="no pinned root"):
        judge(foreign)


def test_a_foreign_chain_with_the_pinned_root_put_under_it_is_refused() -> None:
    foreign = issue("signer", SIGNER, issue("root", authority()))
    with pytest.raises(SignatureInvalidError, match=r"'CN=signer' is not issued by 'CN=root'"):
        judge(Holder(foreign.key, foreign.certificate, (ROOT.certificate,)))


@pytest.mark.parametrize(
    ("reason", "extensions"),
    [
        ("no critical keyUsage", []),
        ("no critical keyUsage", [(usage("digital_signature"), not CRITICAL)]),
        ("no digitalSignature", [(usage("content_commitment"), CRITICAL)]),
        ("not for signing alone", [(usage("digital_signature", "key_encipherment"), CRITICAL)]),
        ("not for signing alone", [(usage("digital_signature", "data_encipherment"), CRITICAL)]),
        ("not for signing alone", [(usage("digital_signature", "key_agreement"), CRITICAL)]),
        ("not for signing alone", [(usage("digital_signature", "key_cert_sign"), CRITICAL)]),
        ("not for signing alone", [(usage("digital_signature", "crl_sign"), CRITICAL)]),
        ("is an authority's", [SIGNING, CA]),
        ("is for TLS servers", [SIGNING, (x509.ExtendedKeyUsage([Purpose.CODE_SIGNING, Purpose.SERVER_AUTH]), False)]),
        ("is for TLS clients", [SIGNING, (x509.ExtendedKeyUsage([Purpose.CLIENT_AUTH]), False)]),
        ("is for mail", [SIGNING, (x509.ExtendedKeyUsage([Purpose.EMAIL_PROTECTION]), False)]),
        ("is for time stamps", [SIGNING, (x509.ExtendedKeyUsage([Purpose.TIME_STAMPING]), False)]),
        ("is for anything", [SIGNING, (x509.ExtendedKeyUsage([Purpose.ANY_EXTENDED_KEY_USAGE]), False)]),
    ],
)
def test_a_signer_that_may_not_sign_is_refused(reason: str, extensions: Extensions) -> None:
    with pytest.raises(SignatureInvalidError, match=reason):
        judge(issue("signer", extensions, MIDDLE))


@pytest.mark.parametrize(
    ("reason", "extensions"),
    [
        ("no authority's", SIGNER),
        ("no authority's", [CERTIFYING]),
        ("no authority's", [(x509.BasicConstraints(ca=False, path_length=None), CRITICAL), CERTIFYING]),
        ("no authority's", [(x509.BasicConstraints(ca=True, path_length=None), not CRITICAL), CERTIFYING]),
        ("no critical keyUsage", [CA]),
        ("no critical keyUsage", [CA, (usage("key_cert_sign"), not CRITICAL)]),
        ("no keyCertSign", [CA, (usage("crl_sign"), CRITICAL)]),
    ],
)
def test_who_is_no_authority_vouches_for_nobody(reason: str, extensions: Extensions) -> None:
    with pytest.raises(SignatureInvalidError, match=f"'CN=middle'.*{reason}"):
        judge(issue("signer", SIGNER, issue("middle", extensions, ROOT)))


def test_an_authority_has_so_many_others_under_it_as_it_may() -> None:
    tight = issue("tight", authority(path_length=0), ROOT)
    judge(issue("signer", SIGNER, tight))
    with pytest.raises(SignatureInvalidError, match=r"'CN=tight' may not have so many"):
        judge(issue("signer", SIGNER, issue("lower", authority(), tight)))


def test_order_matters() -> None:
    reordered = Holder(LEAF.key, LEAF.certificate, (*reversed(LEAF.above),))
    with pytest.raises(SignatureInvalidError, match="no pinned root"):
        judge(reordered)
    with pytest.raises(SignatureInvalidError, match="'CN=middle' may not sign"):
        judge(Holder(MIDDLE.key, MIDDLE.certificate, (LEAF.certificate, ROOT.certificate)))


def test_a_certificate_signed_with_a_weak_hash_is_refused() -> None:
    weak = (
        x509.CertificateBuilder()
        .subject_name(LEAF.certificate.subject)
        .issuer_name(ROOT.certificate.subject)
        .public_key(LEAF.key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
        .add_extension(*SIGNER[0])
        .sign(ROOT.key, hashes.SHA224())
    )
    with pytest.raises(SignatureInvalidError, match="SHA-256, SHA-384 or SHA-512"):
        judge(Holder(LEAF.key, weak, (ROOT.certificate,)))


def test_each_certificate_of_the_chain_must_be_valid_now() -> None:
    check_validity(LEAF.chain, NOW)
    early = issue("early", authority(), ROOT, until=NOW - timedelta(days=1))
    with pytest.raises(SignatureExpiredError, match=r"'CN=early' expired"):
        check_validity(issue("signer", SIGNER, early).chain, NOW)
    late = issue("signer", SIGNER, MIDDLE, since=NOW + timedelta(days=1))
    with pytest.raises(SignatureInvalidError, match="is not valid before 2026-06-02"):
        check_validity(late.chain, NOW)
