"""What anybody may paste, upload or put into a header: certificates, or one of three refusals, and nothing else."""

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from idp.factors.certificates import reading, signatures, trust
from idp.factors.certificates.errors import (
    CertificateAbsent,
    CertificateUnreadable,
    CertificateWeak,
    PrivateKeySent,
    SignatureUnreadable,
    SignatureWrong,
)
from idp.settings import Settings, SettingWrong
from sandbox.certificates.authority import Authority
from tests.support.certificates import Token, token

AUTHORITY = Authority.new()
TOKEN = token(AUTHORITY, "http://127.0.0.1:1/crl")
DER = TOKEN.certificate.public_bytes(Encoding.DER)


def with_authority() -> Token:
    return Token(TOKEN.key, TOKEN.certificate, [AUTHORITY.certificate])


@pytest.mark.parametrize(
    "sent",
    [
        DER,
        TOKEN.pem.encode(),
        TOKEN.pem.replace("\n", "\r\n").encode(),
        b"Bag Attributes\n    friendlyName: x\n" + TOKEN.pem.encode(),
    ],
)
def test_files_as_they_come(sent: bytes) -> None:
    assert reading.from_bytes(sent).leaf == TOKEN.certificate


def test_a_chain_begins_with_the_holder() -> None:
    presented = reading.from_text(with_authority().pem)
    assert (presented.leaf, presented.others) == (TOKEN.certificate, (AUTHORITY.certificate,))
    assert reading.from_text(presented.to_pem()) == presented
    with pytest.raises(CertificateUnreadable):
        reading.from_text(TOKEN.pem * (reading.MOST + 1))


def test_headers_of_proxies() -> None:
    """RFC 9440 §2, and nginx's `$ssl_client_escaped_cert`."""
    chain = f":{base64.b64encode(AUTHORITY.certificate.public_bytes(Encoding.DER)).decode()}:"
    assert reading.from_headers(TOKEN.header).leaf == TOKEN.certificate
    assert reading.from_headers(f" {TOKEN.header} ", f"{chain}, {chain}").others == (AUTHORITY.certificate,) * 2
    assert reading.from_headers(quote(TOKEN.pem, safe="-")).leaf == TOKEN.certificate
    for empty in ("", "  "):
        with pytest.raises(CertificateAbsent):
            reading.from_headers(empty)
    for broken in (TOKEN.pem, "(null)", "::", TOKEN.header.strip(":"), TOKEN.header + ";a=1", ":=:", ":abc:"):
        with pytest.raises(CertificateUnreadable):
            reading.from_headers(broken if broken != TOKEN.pem else TOKEN.header[1:])


def test_a_private_key_is_not_taken_in_silence() -> None:
    with pytest.raises(PrivateKeySent):
        reading.from_text(TOKEN.pem + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


# What the library will refuse one day it warns of today.
MANGLED_ON_PURPOSE = pytest.mark.filterwarnings("ignore::UserWarning")


def mangled(place: int, by: int) -> bytes:
    changed = bytearray(DER)
    changed[place % len(DER)] ^= by
    return bytes(changed)


@MANGLED_ON_PURPOSE
@given(st.one_of(st.binary(max_size=300), st.builds(mangled, st.integers(0, 4000), st.integers(1, 255))))
@example(b"")
@example(mangled(15, 0x80))
@example(b"\x30")
@example(b"\x30\x80\x00\x00")
@example(DER[:-1])
@example(DER + b"\x00")
@example(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----")
def test_broken_bytes_are_refused_and_nothing_else(sent: bytes) -> None:
    """No other exception, whatever the bytes are: as a file, as text, and in a header."""
    in_pem = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(sent).decode()}\n-----END CERTIFICATE-----"
    for read in (
        lambda: reading.from_bytes(sent),
        lambda: reading.from_text(sent.decode("latin-1")),
        lambda: reading.from_text(in_pem),
        lambda: reading.from_headers(f":{base64.b64encode(sent).decode()}:"),
        lambda: reading.from_headers(sent.decode("latin-1")),
    ):
        try:
            presented = read()
        except (CertificateUnreadable, CertificateWeak, CertificateAbsent, PrivateKeySent):
            continue
        trust.is_strong(presented.leaf)


@given(st.one_of(st.binary(max_size=300), st.builds(mangled, st.integers(0, 4000), st.integers(1, 255))))
def test_broken_signatures_are_refused_and_nothing_else(sent: bytes) -> None:
    for read in (lambda: signatures.from_bytes(sent), lambda: signatures.from_text(sent.decode("latin-1"))):
        try:
            signature = read()
        except SignatureUnreadable:
            continue
        with pytest.raises(SignatureWrong):
            signatures.verify(TOKEN.certificate, signature, "line")


def test_a_signature_as_a_file_or_as_text() -> None:
    for sent in (TOKEN.signature("line"), TOKEN.sign("line").encode(), TOKEN.sign("line")[:40].encode()):
        read = signatures.from_bytes(sent)
        if len(sent) > 40:
            signatures.verify(TOKEN.certificate, read, "line")
    assert signatures.from_text(" ".join(TOKEN.sign("line"))) != b""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"nothing", "holds no certificates"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificates"),
        (TOKEN.pem.encode(), "is no authority"),
    ],
)
def test_a_file_of_authorities_that_cannot_serve_stops_the_start(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingWrong, match=said):
        trust.init_app(object(), Settings(certificate_authorities=file))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"certificate_tls_url": "https://certificate.idp.example"},
        {"certificate_tls_url": "https://certificate.idp.example", "certificate_tls_proxies": ["127.0.0.1/32"]},
        {"certificate_tls_url": "http://certificate.idp.example"},
        {"certificate_tls_url": "https://certificate.idp.example/x"},
        {"certificate_hardware_policies": ["hardware"]},
        {"certificate_tls_proxies": ["everybody"]},
    ],
)
def test_settings_that_cannot_be_meant(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="certificate_"):
        Settings(**changes)
