"""The stand-in for a certification authority: certificates, its list, a token's middleware, and its page."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
from playwright.sync_api import Page, expect

from sandbox import certificates
from sandbox.certificates.holders import PASSPHRASE
from sandbox.serving import Server
from tests.sandbox.client import KEY, Client
from tests.support import fictional
from tests.support.accessibility import axe_check
from tests.support.browser import PHONE

HOLDERS: list[dict[str, Any]] = [
    {"id": "jia", "kind": "person", "name": "甲子", "document_number": fictional.resident_id(), "in_hardware": True},
    {"id": "old", "kind": "person", "name": "乙丑", "document_number": fictional.resident_id(1), "expired": True},
    {"id": "lost", "kind": "person", "name": "丙寅", "document_number": fictional.resident_id(2), "revoked": True},
    {"id": "keji", "kind": "unit", "name": fictional.unit_name(1), "document_number": fictional.uscc(1)},
]


@pytest.fixture(scope="module")
def authority() -> Iterator[Client]:
    with Server(certificates.create_app(KEY, {"holders": HOLDERS})) as server:
        yield Client(server.url)


def of(authority: Client, holder: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.get(f"/holders/{holder}/certificate.pem").content)


def is_revoked(authority: Client, certificate: x509.Certificate) -> bool:
    crl = x509.load_der_x509_crl(authority.get("/crl").content)
    return crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def test_what_stands_in_a_certificate(authority: Client) -> None:
    ca = x509.load_pem_x509_certificate(authority.get("/ca.pem").content)
    person, unit = of(authority, "jia"), of(authority, "keji")
    for each in (person, unit):
        each.verify_directly_issued_by(ca)
    places = {each.oid.dotted_string: each.value for each in (*person.extensions, *unit.extensions)}
    assert places["1.2.156.10260.4.1.1"].value[2:].decode() == fictional.resident_id()
    assert places["1.2.156.10260.4.1.4"].value[2:].decode() == fictional.uscc(1)
    [point] = person.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for name in point.full_name] == [authority.url + "/crl"]
    assert of(authority, "old").not_valid_after_utc < datetime.now(UTC) < person.not_valid_after_utc


def test_the_list_and_its_faults(authority: Client) -> None:
    assert is_revoked(authority, of(authority, "lost"))
    certificate = of(authority, "jia")
    assert not is_revoked(authority, certificate)
    authority.request("POST", "/holders/jia/revoke", None)
    assert is_revoked(authority, certificate)
    authority.request("POST", "/holders/jia/restore", None)
    assert not is_revoked(authority, certificate)
    ca = x509.load_pem_x509_certificate(authority.get("/ca.pem").content).public_key()
    assert isinstance(ca, ec.EllipticCurvePublicKey)
    for fault, is_fresh, is_ours in (("stale_crl", False, True), ("foreign_crl", True, False), ("none", True, True)):
        authority.fault(fault)
        crl = x509.load_der_x509_crl(authority.get("/crl").content)
        assert crl.next_update_utc is not None
        assert (crl.next_update_utc > datetime.now(UTC), crl.is_signature_valid(ca)) == (is_fresh, is_ours), fault


def test_files_to_try_it_with(authority: Client) -> None:
    key, certificate, _others = pkcs12.load_key_and_certificates(
        authority.get("/holders/jia/certificate.p12").content, PASSPHRASE.encode()
    )
    assert certificate == of(authority, "jia")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    same = load_pem_private_key(authority.get("/holders/jia/key.pem").content, None)
    assert isinstance(same, ec.EllipticCurvePrivateKey)
    assert same.private_numbers() == key.private_numbers()
    assert authority.get("/holders/nobody/key.pem").status_code == 404


def test_the_middleware_signs(authority: Client) -> None:
    signed = authority.post("/holders/jia/sign", {"line": "x y"}).json()
    certificate = x509.load_pem_x509_certificate(signed["certificate"].encode())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(signed["signature"]), b"x y", ec.ECDSA(hashes.SHA256()))


def test_the_counter_needs_its_key_and_all_fields(authority: Client) -> None:
    new = {"kind": "person", "name": "戊辰", "document_number": fictional.resident_id(4)}
    assert authority.post("/certificates", new, key="wrong").status_code == 401
    answer = authority.post("/certificates", new)
    assert answer.status_code == 201
    assert of(authority, answer.json()["id"]).subject.rfc4514_string() == "CN=戊辰,C=CN"
    for field, value in (("kind", "robot"), ("name", ""), ("document_number", "x y")):
        answer = authority.post("/certificates", new | {field: value})
        assert (answer.status_code, answer.json()["reason"]) == (400, field)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages(authority: Client, new_page: Callable[..., Page], scheme: str) -> None:
    page = new_page(viewport=PHONE, color_scheme=scheme)
    page.goto(authority.url)
    expect(page.get_by_text("（已过期）")).to_be_visible()
    expect(page.get_by_text("（已吊销）")).to_be_visible()
    axe_check(page)
    page.get_by_role("link", name="签名工具 甲子").click()
    page.get_by_label("待签名内容").fill("x y")
    page.get_by_role("button", name="签名").click()
    expect(page.get_by_label("签名值")).not_to_have_value("")
    axe_check(page)
