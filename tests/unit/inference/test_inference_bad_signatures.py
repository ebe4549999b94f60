"""Signatures that break a rule, in the module: each has its code, and the active model serves on."""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from edge_inference.images import describe_manifest
from edge_inference.layout import attach
from edge_inference.package import Descriptor, digest_of
from edge_inference.signing.envelope import compose, seal
from edge_inference.signing.manifest import Signature
from edge_inference.signing.signer import Signer
from edge_inference.sources import LayoutSource
from support.inference import Device
from support.models import contract
from support.signers import LEAF, SIGNER, Holder, authority, issue

V1, V2 = contract("v1"), contract("v2", side=6)
FOREIGN = issue("stranger", SIGNER, issue("elsewhere", authority()))

Envelope = Callable[[Descriptor, datetime], bytes]


def good(target: Descriptor, now: datetime) -> bytes:
    return compose(LEAF.key, LEAF.chain, target, now)


def of_a_stranger(target: Descriptor, now: datetime) -> bytes:
    return compose(FOREIGN.key, FOREIGN.chain, target, now)


def expired(target: Descriptor, now: datetime) -> bytes:
    return compose(LEAF.key, LEAF.chain, target, now - timedelta(days=2), now - timedelta(days=1))


def of_another(target: Descriptor, now: datetime) -> bytes:
    return good(target.model_copy(update={"digest": digest_of(b"another")}), now)


def of_another_algorithm(target: Descriptor, now: datetime) -> bytes:
    return _resealed(target, now, lambda head: head.update(alg="PS256"))


def with_unknown_crit(target: Descriptor, now: datetime) -> bytes:
    return _resealed(target, now, lambda head: head.update(crit=[*head["crit"], "unknown"], unknown="1"))


def der(target: Descriptor, now: datetime) -> bytes:
    """The numbers of the signature in the other encoding that there is."""
    envelope = json.loads(good(target, now))
    raw = _decode(envelope["signature"])
    numbers = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    envelope["signature"] = base64.urlsafe_b64encode(encode_dss_signature(*numbers)).rstrip(b"=").decode()
    return json.dumps(envelope).encode()


def _resealed(target: Descriptor, now: datetime, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Signed by the right key after the change."""
    envelope = json.loads(good(target, now))
    head, body = json.loads(_decode(envelope["protected"])), json.loads(_decode(envelope["payload"]))
    change(head)
    return seal(LEAF.key, LEAF.chain, head, body)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


def sign(device: Device, wanted: dict[str, Any], made: Envelope, by: Holder = LEAF) -> dict[str, Any]:
    """Attach a signature whose manifest is as it should be, whatever its envelope says."""
    layout, digest = device.models / "library", wanted["ref"].partition("@")[2]
    target = describe_manifest(LayoutSource(layout, digest).manifest())
    envelope = made(target, device.clock.now())
    manifest = json.loads(Signer(by.key, by.chain).sign(target, device.clock.now()).manifest)
    manifest["layers"][0].update(digest=digest_of(envelope), size=len(envelope))
    attach(layout, Signature(json.dumps(manifest).encode(), [b"{}", envelope]))
    return wanted


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (expired, "SIGNATURE_EXPIRED"),
        (of_a_stranger, "SIGNATURE_INVALID"),
        (of_another, "SIGNATURE_INVALID"),
        (of_another_algorithm, "SIGNATURE_INVALID"),
        (with_unknown_crit, "SIGNATURE_INVALID"),
        (der, "SIGNATURE_INVALID"),
    ],
)
async def test_a_signature_that_breaks_a_rule(strict: Device, made: Envelope, code: str) -> None:
    await strict.swap_to(sign(strict, strict.pack(V1), good))
    wanted = sign(strict, strict.pack(V2, version="2"), made)
    await strict.refuses(wanted, code, V1)
    sign(strict, wanted, good)
    strict.desire(wanted, requestId="signed")
    await strict.hub.until_reported("model.active.version", "2")


async def test_a_package_that_nobody_signed(strict: Device) -> None:
    await strict.swap_to(sign(strict, strict.pack(V1), good))
    await strict.refuses(strict.pack(V2, version="2"), "SIGNATURE_MISSING", V1)


async def test_a_good_signature_of_an_older_version_is_replayed(strict: Device) -> None:
    older = sign(strict, strict.pack(V2, version="0.9"), good)
    await strict.swap_to(sign(strict, strict.pack(V1), good))
    await strict.refuses(older, "DOWNGRADE", V1)
