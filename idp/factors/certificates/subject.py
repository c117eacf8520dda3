"""Whose certificate it is: the name, and the document number in the extensions that Chinese authorities use.

GM/T 0015 and GB/T 20518 number them under 1.2.156.10260.4: the identity code of a person (a text, or a set of texts
tagged by document), the organisation code of a unit, which holds the unified social credit code today, and since
2023 a number of its own for that. The value is a DER string. The name is the common name, a unit's its organisation.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import NameOID

from idp import clock
from idp.errors import DomainError
from idp.factors.certificates.errors import SubjectMissing
from idp.persons import registration as persons
from idp.persons.model import AccountKind
from idp.rules.documents import PersonDocument, UnitDocument, check_person_document, check_unit_document
from idp.units import registration as units

IDENTITY_CODE = ObjectIdentifier("1.2.156.10260.4.1.1")
RESIDENT_NUMBER = ObjectIdentifier("1.2.156.10260.4.1.1.1")
PASSPORT_NUMBER = ObjectIdentifier("1.2.156.10260.4.1.1.2")
ORGANISATION_CODE = ObjectIdentifier("1.2.156.10260.4.1.4")
SOCIAL_CREDIT_CODE = ObjectIdentifier("1.2.156.10260.4.4")

_PERSON_PLACES = (IDENTITY_CODE, RESIDENT_NUMBER, PASSPORT_NUMBER)
_UNIT_PLACES = (ORGANISATION_CODE, SOCIAL_CREDIT_CODE)

# Their numbers are formed alike and tell themselves apart (P5).
_CARDS = (
    PersonDocument.RESIDENT_ID,
    PersonDocument.HMT_RESIDENCE_PERMIT,
    PersonDocument.FOREIGN_PERMANENT_RESIDENCE,
)
_PASSPORT_TAG = 2
_STRINGS = frozenset({0x0C, 0x13, 0x16})  # UTF8String, PrintableString, IA5String
_CONTAINERS = frozenset({0x30, 0x31})  # SEQUENCE, SET
_CONTEXT, _CONSTRUCTED, _NUMBER = 0x80, 0x20, 0x1F
_LONG_FORM = 0x81
_SHORT_LENGTH = 0x80
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate vouches for; nothing of it is ever logged."""

    kind: AccountKind
    name: str
    document_lookup: str


def of(certificate: x509.Certificate) -> Subject:
    """Return whose certificate it is. Raises SubjectMissing: no number, several, an impossible one, no name."""
    found = {
        each.oid: each.value.value
        for each in certificate.extensions
        if isinstance(each.value, x509.UnrecognizedExtension) and each.oid in (*_PERSON_PLACES, *_UNIT_PLACES)
    }
    numbers = {_document_lookup(place, *_string_in(value)) for place, value in found.items()}
    kinds = {AccountKind.UNIT if place in _UNIT_PLACES else AccountKind.PERSON for place in found}
    if len(numbers) != 1 or len(kinds) != 1:
        # A certificate of a unit's member names both: it says that they belong together, not for whom they sign.
        raise SubjectMissing
    kind = kinds.pop()
    return Subject(kind, _name(certificate.subject, kind), numbers.pop())


def _document_lookup(place: ObjectIdentifier, tag: int | None, number: str) -> str:
    try:
        if place in _UNIT_PLACES:
            kind = UnitDocument.ORG_CODE if len(number) < len("91440101MA0000015") else UnitDocument.USCC
            return units.lookup_of(kind, check_unit_document(kind, number))
        return _of_person(place == PASSPORT_NUMBER or tag == _PASSPORT_TAG, number)
    except DomainError as error:
        raise SubjectMissing from error


def _of_person(is_passport: bool, number: str) -> str:
    for kind in (PersonDocument.PASSPORT,) if is_passport else _CARDS:
        try:
            return persons.document_lookup(kind, check_person_document(kind, number, today=clock.today()))
        except DomainError:
            continue
    raise SubjectMissing


def _name(subject: x509.Name, kind: AccountKind) -> str:
    places = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME) if kind is AccountKind.UNIT else (NameOID.COMMON_NAME,)
    for place in places:
        for found in subject.get_attributes_for_oid(place):
            if isinstance(found.value, str) and found.value.strip():
                return found.value.strip()
    raise SubjectMissing


def _string_in(der: bytes, depth: int = 0) -> tuple[int | None, str]:
    """Return the one string in a DER value, and the context tag that it stands under. Raises SubjectMissing."""
    tag, content = _element(der)
    if depth > _DEEPEST:
        raise SubjectMissing
    if tag in _STRINGS:
        return None, _text(content)
    if tag in _CONTAINERS:
        return _string_in(content, depth + 1)
    if tag & 0xC0 == _CONTEXT:
        number = tag & _NUMBER
        return number, _string_in(content, depth + 1)[1] if tag & _CONSTRUCTED else _text(content)
    raise SubjectMissing


def _element(der: bytes) -> tuple[int, bytes]:
    """Take one element apart that fills `der`: its tag and its content of less than 256 bytes (X.690 §8.1)."""
    head = 3 if der[1:2] == bytes([_LONG_FORM]) else 2
    if len(der) < head:
        raise SubjectMissing
    length = der[head - 1]
    if (head == len(b"tl") and length >= _SHORT_LENGTH) or len(der) != head + length:
        raise SubjectMissing
    return der[0], der[head:]


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise SubjectMissing from error
