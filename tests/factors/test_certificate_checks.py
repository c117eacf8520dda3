"""What is refused of a digital certificate itself (P8), by RFC 5280: dates, usage, strength, issuer, revocation."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask import Flask
from sqlalchemy import text

from idp import clock, doctor
from idp.errors import DomainError
from idp.factors.certificates import errors, revocation, trust
from idp.store.db import db
from sandbox.certificates.authority import Authority
from tests.factors.certifying import app, person_id, prove, refused, sign_in
from tests.support import certificates, rows
from tests.support.application import MakeApp
from tests.support.authorities import RunningAuthority
from tests.support.certificates import Token, usage
from tests.support.clocks import MovedClock, moved_clock

__all__ = ["app", "moved_clock", "person_id"]


# What is refused of a certificate


def self_signed(ca: RunningAuthority) -> Token:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = ca.person().certificate.subject
    return ca.person(key=key, issuer_key=key, issuer=subject)


REFUSED: list[tuple[Callable[[RunningAuthority], Token], type[DomainError]]] = [
    (lambda ca: ca.person(begins=timedelta(days=-9), ends=timedelta(seconds=-1)), errors.CertificateExpired),
    (lambda ca: ca.person(begins=timedelta(minutes=5)), errors.CertificateNotYetValid),
    (self_signed, errors.CertificateSelfSigned),
    (lambda ca: certificates.token(Authority.new("别的机构"), ca.crl_url), errors.IssuerUnknown),
    # another key under the name of the authority that is trusted
    (lambda ca: ca.person(issuer_key=Authority.new().key), errors.IssuerUnknown),
    (lambda ca: ca.person(critical=b"\x05\x00"), errors.IssuerUnknown),
    (lambda ca: ca.person(purposes=[ExtendedKeyUsageOID.SERVER_AUTH]), errors.UsageWrong),
    (lambda ca: ca.person(usage=usage("key_encipherment", "data_encipherment")), errors.UsageWrong),
    (lambda ca: ca.person(ca=True, usage=usage("digital_signature", "key_cert_sign")), errors.UsageWrong),
    (lambda ca: ca.person(key=rsa.generate_private_key(65537, 1024)), errors.CertificateWeak),  # noqa: S505
    (lambda ca: ca.person(key=ec.generate_private_key(ec.SECP192R1())), errors.CertificateWeak),
    (lambda ca: ca.person(digest=hashes.SHA224()), errors.CertificateWeak),
    (lambda ca: certificates.token(ca.authority, None), errors.RevocationUnknown),
    (lambda ca: certificates.token(ca.authority, "ldap://ca.example/crl"), errors.RevocationUnknown),
    (lambda ca: certificates.token(ca.authority, ca.operator.url + "/ca.pem"), errors.RevocationUnknown),
    (lambda ca: certificates.token(ca.authority, ca.operator.url + "/none"), errors.RevocationUnknown),
]


@pytest.mark.parametrize(("make", "error"), REFUSED)
def test_a_certificate_that_is_not_taken(
    ca: RunningAuthority,
    person_id: str,
    make: Callable[[RunningAuthority], Token],
    error: type[DomainError],
) -> None:
    """RFC 5280: dates, usage, strength, chain, revocation; each refusal has its own sentence."""
    refused(make(ca), error)
    why = db.session.execute(text("SELECT details FROM audit_entry WHERE action = 'certificate.refused'")).scalar()
    assert error.code in why


@pytest.mark.parametrize("key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())])
def test_other_keys_that_hold(ca: RunningAuthority, person_id: str, key: certificates.Key) -> None:
    assert sign_in(ca.person(key=key, purposes=None)).subject_id == person_id


def test_an_authority_in_between(ca: RunningAuthority, person_id: str) -> None:
    """RFC 5280 §6: the chain is sent along, and each link of it is looked for in its issuer's list."""
    between = Authority.new("地方机构")
    signed = ca.person(
        name="地方机构", key=between.key, ca=True, places={}, purposes=None, usage=usage("key_cert_sign", "crl_sign")
    )
    token = certificates.token(between, ca.crl_url, issuer=signed.certificate.subject)
    with pytest.raises(errors.IssuerUnknown):
        prove(token)
    token.others.append(signed.certificate)
    with pytest.raises(errors.RevocationUnknown):  # the list is the root's: it says nothing about this one
        prove(token)


def test_an_authority_that_ends_is_said_in_time(app: Flask) -> None:
    """`jingban doctor` asks for those that end within two months."""
    assert list(trust.expiring(clock.now() + doctor.CERTIFICATES_WARN)) == []
    assert list(trust.expiring(clock.now() + timedelta(days=3700))) == ["CN=演示电子认证机构,C=CN"]


# Revocation


def test_what_was_revoked(ca: RunningAuthority, person_id: str) -> None:
    token = ca.person()
    sign_in(token)
    ca.authority.revoke(token.certificate.serial_number)
    assert sign_in(token).subject_id == person_id, "the list of a moment ago is still at hand"
    revocation.forget()
    with pytest.raises(errors.CertificateRevoked):
        sign_in(token)


def test_a_list_is_fetched_again_after_some_minutes(
    ca: RunningAuthority,
    person_id: str,
    moved_clock: MovedClock,
) -> None:
    token = ca.person()
    sign_in(token)
    ca.authority.revoke(token.certificate.serial_number)
    moved_clock.advance(revocation.KEEP + timedelta(seconds=1))
    with pytest.raises(errors.CertificateRevoked):
        sign_in(token)


@pytest.mark.parametrize("fault", ["stale_crl", "foreign_crl", "down", "error", "garbage", "refuse"])
def test_who_cannot_ask_does_not_guess(ca: RunningAuthority, person_id: str, fault: str) -> None:
    """Fail closed: unreachable, out of date, wrongly signed, no list at all."""
    ca.fault(fault)
    refused(ca.person(), errors.RevocationUnknown)


def test_lists_are_called_by_the_guarded_way_out(
    make_app: MakeApp, migrated_sqlite_url: str, ca: RunningAuthority
) -> None:
    """DESIGN 3: not on this machine unless a setting says so, whatever the certificate names."""
    app = make_app(migrated_sqlite_url, **(ca.settings | {"fetch_allow_loopback": False}))
    with app.app_context():
        rows.person()
        with pytest.raises(errors.RevocationUnknown) as failed:
            prove(ca.person())
        assert failed.value.reason == "address_forbidden"
