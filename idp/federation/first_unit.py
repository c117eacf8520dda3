"""登录初始化 (F4): a unit's first login with an upstream. Who is the agent, and what the upstream does not know.

What the upstream vouches for is taken from it and never from the form: name, number, and, if it knows one, the legal
representative. The seat, login name and password are the unit's to give. The agent proves to be there by the code
sent to their phone, as at registration (U1): a legal entity's account over there must bind nobody here by itself.
"""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from idp.delegation import registration as registering
from idp.federation import arrival, links
from idp.federation.arrival import Arrived, Step
from idp.federation.links import Owner
from idp.gateways.province import Vouched
from idp.notify.sms_codes import Proof
from idp.persons.model import AccountKind
from idp.rules.documents import UnitDocument
from idp.rules.levels import TrustLevel
from idp.sessions.sign_in import Browser
from idp.units.registration import Checked, NewUnit, Typed

SMS_PURPOSE = registering.SMS_PURPOSE


@dataclass(frozen=True, slots=True)
class Completion:
    """What the unit adds. `legal_representative` counts only where the upstream names none."""

    region_code: str
    login_name: str
    password: str = field(repr=False)
    legal_representative: str = field(default="", repr=False)


def typed(vouched: Vouched, added: Completion) -> Typed:
    """Return the whole of a registration, for `idp.units.registration.check`."""
    known = vouched.legal_representative
    return Typed(
        document_number=vouched.document_number,
        full_name=vouched.name,
        region_code=added.region_code,
        legal_representative=known.name if known else added.legal_representative,
        login_name=added.login_name,
        password=added.password,
    )


def register(
    vouched: Vouched, agent_id: str, checked: Checked, password_hash: str, proof: Proof, browser: Browser
) -> Arrived:
    """Make the unit's account at the level that the upstream states, bind the agent, link it, and sign in.

    Of parallel calls one makes it. Raises what `find_agent` does, LoginNameTaken, RegionIncomplete, SmsCodeInvalid
    and what `arrival.arrive` does.
    """
    new = NewUnit(
        document_type=UnitDocument.USCC,
        document_number=checked.document_number,
        full_name=checked.full_name,
        legal_representative=checked.legal_representative,
        region_code=checked.region_code,
        login_name=checked.login_name,
        password_hash=password_hash,
    )

    def attempt(session: Session) -> Arrived:
        if arrival.holder_of(session, vouched) is not None:
            return Step.PROVE
        told = {"upstream": vouched.upstream}
        unit_id = registering.add_within(session, agent_id, new, TrustLevel.L0, proof, told)
        owner = Owner(AccountKind.UNIT, unit_id)
        links.add(session, vouched, owner, proven_by="initialisation")
        return arrival.start(session, vouched, owner, browser)

    return arrival.once(vouched, browser, attempt)
