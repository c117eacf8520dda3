"""What an upstream may say, for tests of what follows."""

from dataclasses import replace
from typing import Any

from idp.federation.arrival import Arrived, Entered
from idp.gateways.province import Party, SubjectKind, Vouched
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.levels import TrustLevel
from idp.sessions import browser_sessions
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.sign_in import Browser
from tests.support import fictional

BROWSER = Browser("192.0.2.1", "test")


def person(n: int = 0, **changes: Any) -> Vouched:
    """Person `n`, at L2."""
    usual = Vouched(
        upstream="province",
        stable_id=f"p-{n:04d}",
        kind=SubjectKind.PERSON,
        name=fictional.person_name(n),
        document_type=PersonDocument.RESIDENT_ID,
        document_number=fictional.resident_id(n),
        phone=fictional.mobile(n),
        trust_level=TrustLevel.L2,
        trust_level_way="face",
        trust_level_at=None,
    )
    return replace(usual, **changes)


def unit(n: int = 1, **changes: Any) -> Vouched:
    """Unit `n`, at L2."""
    usual = Vouched(
        upstream="province",
        stable_id=f"u-{n:04d}",
        kind=SubjectKind.UNIT,
        name=fictional.unit_name(n),
        document_type=UnitDocument.USCC,
        document_number=fictional.uscc(n),
        phone=fictional.mobile(n),
        trust_level=TrustLevel.L2,
        trust_level_way="electronic_licence",
        trust_level_at=None,
        legal_representative=Party(fictional.person_name(n + 5)),
    )
    return replace(usual, **changes)


def entered(arrived: Arrived) -> SignedIn:
    """Return who is signed in now."""
    assert isinstance(arrived, Entered), arrived
    found = browser_sessions.find(arrived.token)
    assert found is not None
    return found
