"""The pages of the provider, each reached as a person reaches it: `SCENES[name](visitor's world)`.

A visitor chooses the language once, in the address of the first page; all that follows must stay in it. People, units
and places keep their Chinese names; the portal and its businesses have English ones, so that what is left of Chinese
on an English page was forgotten.
"""

import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import select

from idp import clock
from idp.delegation import grant_requests as requests
from idp.delegation import unit_verification
from idp.delegation.model import RepresentativeCheck
from idp.factors import recovery_codes, scan
from idp.factors.model import Passkey, Totp
from idp.federation import arrival, pending
from idp.federation.trips import Destination
from idp.gateways import Company, CompanyStatus
from idp.gateways.province import Vouched
from idp.persons.model import AccountKind, Person
from idp.sessions import device_codes, interactions
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.sign_in import Browser
from idp.store.db import transaction
from idp.units.model import Unit
from tests.factors.sessions import start, who
from tests.federation import vouching
from tests.flows.inside import BROWSER, InsideVisitor
from tests.oidc.authorize.browser import request_parameters
from tests.support import codes, fictional, rows

UNITS = "/unit/sub-accounts"
PARENTS = "/account/parent-accounts"
AGENT = {"agent_username": fictional.login_name(0), "agent_document_number": fictional.resident_id(0)}
UNIT = {
    "document_number": fictional.uscc(9),
    "name": fictional.unit_name(9),
    "legal_representative": fictional.person_name(7),
    "username": "our_unit",
    "password": fictional.password(),
    "password_again": fictional.password(),
}
NEW_PERSON = {
    "document_type": "resident_id",
    "document_number": fictional.resident_id(3),
    "name": fictional.person_name(3),
    "phone": fictional.mobile(3).removeprefix("+86"),
    "username": "user_0003",
    "password": fictional.password(),
    "password_again": fictional.password(),
    "accept_terms": "y",
}
BOUND = {
    "name": fictional.person_name(3),
    "document_type": "resident_id",
    "document_number": fictional.resident_id(3),
    "username": "user_0003",
}
NAMES = [fictional.unit_name(n) for n in (1, 2, 3, 8, 9)] + [fictional.person_name(n) for n in (6, 7)]
MASKED = rf"\*+[{''.join(sorted({fictional.person_name(n)[-1] for n in range(120)}))}]"
DATA = re.compile("|".join([*NAMES, MASKED, "广东省江门市蓬江区"]))
"""What is nobody's to translate: names of people, units and places."""


UPSTREAM = {
    "name": "province",
    "title": "Province",
    "protocol": "oidc",
    "issuer": "http://127.0.0.1:9",
    "client_id": "jingban",
    "client_secret": "secret",
    "upgrade_url": "http://127.0.0.1:9/upgrade",
}
"""One that is away, so that its tiles and the page that says so are seen."""


class World:
    """A unit with agents, people who are bound to units or asked to be, and a portal."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.lang = "zh-Hans"
        self.person, self.newcomer, self.unit = rows.person(0), rows.person(1, real_name_level=1), rows.unit(1)
        self.binding = rows.binding(self.unit, self.person)
        self.contact = rows.binding(self.unit, self.newcomer, kind="common_contact")
        rows.binding(self.unit, rows.person(2), status="pending")
        rows.binding(rows.unit(2), self.person)
        rows.binding(rows.unit(3), self.person, status="pending")
        rows.business("rec.position", name="Job postings", description="Publish and withdraw job postings")
        rows.business("rec.fair", name="Job fairs", needs_verified_unit=True)
        rows.grant(self.binding, "rec.position", clock.now() + timedelta(days=9))
        rows.grant(self.binding, "rec.fair")
        scopes = ["openid", "profile", "phone", "offline_access", "rec.position", "rec.fair"]
        rows.client(client_name="Recruitment", scopes=scopes, allows_unit_accounts=True, min_unit_level=0)

    def on(self, app: Flask) -> "World":
        """Return this world on an application whose database is a copy."""
        world = copy(self)
        world.app = app
        return world

    def visitor(self, *outside: str) -> InsideVisitor:
        """Return somebody who reads `self.lang`."""
        return InsideVisitor(self.app, *outside).get("/help", ui_locales=self.lang)

    def agent(self) -> InsideVisitor:
        """Return person 0: 二级实名, agent of units 1 and 2, asked by unit 3."""
        return self.visitor().sign_in(self.person)

    def beginner(self) -> InsideVisitor:
        """Return person 1: 一级实名."""
        return self.visitor().sign_in(self.newcomer)

    def our_unit(self) -> InsideVisitor:
        """Return unit 1, signed in with its own account."""
        return self.visitor().sign_in(self.unit, AccountKind.UNIT)

    def ask(self, visitor: InsideVisitor, **changes: str) -> InsideVisitor:
        """Let the portal send `visitor` with an authorization request."""
        return visitor.get("/oidc/authorize", **request_parameters(**changes))

    def at_device(self, visitor: InsideVisitor) -> InsideVisitor:
        """Let `visitor` enter the code of a device that waits."""
        request = AuthorizationRequest("portal", "", "", "", ("openid",), prompt=("consent",))
        begun = device_codes.begin(request, "192.0.2.1")
        return visitor.get("/device").submit("user_code", user_code=begun.user_code)

    def form_of_agent(self) -> str:
        """Return the address of what unit 1 manages of person 0."""
        return f"{UNITS}/{self.binding}"


Act = Callable[[World], InsideVisitor]


@dataclass(frozen=True)
class Scene:
    """How a page is reached, and the path and status it then has."""

    act: Act
    path: str
    status: int


SCENES: dict[str, Scene] = {}


def scene(path: str, status: int = 200) -> Callable[[Act], Act]:
    """Enter a function as a scene that ends at `path`; `…` in it stands for an id."""

    def enter(act: Act) -> Act:
        SCENES[act.__name__.removeprefix("_")] = Scene(act, path, status)
        return act

    return enter


def plain(name: str, path: str, status: int = 200, **query: str) -> None:
    """Enter a page that anybody opens by its address."""
    SCENES[name] = Scene(lambda world: world.visitor().get(path, **query), path, status)


def of(who: Callable[[World], InsideVisitor], name: str, path: str, status: int = 200) -> None:
    """Enter a page that `who` opens by its address."""
    SCENES[name] = Scene(lambda world: who(world).get(path), path, status)


# --- Signing in with an upstream ---------------------------------------------------------------------------------

plain("upstream_away", "/federation/province", 503)


def _arrived(path: str, vouched: Vouched, **more: str) -> Callable[[World], InsideVisitor]:
    """Return how somebody for whom an upstream vouches opens the page at `path`."""

    def act(world: World) -> InsideVisitor:
        draft = pending.begin(BROWSER, vouched, Destination("person"))
        waiting = pending.read(BROWSER, draft)
        pending.note_agent(BROWSER, draft, waiting, world.person)
        return world.visitor().get(path, draft=draft, **more)

    return act


for _name, _path, _vouched, _more in (
    ("first_login", "/federation/first-login", vouching.person(9), {}),
    ("first_login_supersede", "/federation/first-login", vouching.person(1), {"supersede": "1"}),
    ("link_person", "/federation/prove", vouching.person(1), {}),
    ("link_unit", "/federation/prove", vouching.unit(1), {}),
    ("first_unit_1", "/federation/unit", vouching.unit(9), {}),
    ("first_unit_2", "/federation/unit/2", vouching.unit(9, legal_representative=None), {}),
):
    SCENES[_name] = Scene(_arrived(_path, _vouched, **_more), _path, 200)


# --- Anybody -------------------------------------------------------------------------------------------------------

plain("help", "/help")
plain("recover", "/recover")
plain("device", "/device")
plain("terms", "/terms")
plain("privacy", "/privacy")
plain("sign_in_person", "/sign-in")
plain("sign_in_unit", "/sign-in", tab="unit")
plain("register_person", "/register/person")
plain("register_person_done", "/register/person/done")
plain("register_unit_1", "/register/unit")
plain("not_found", "/nowhere", 404)
plain("gone", "/interaction/gone", 400)
plain("unknown_portal", "/oidc/authorize", 400, client_id="nobody")


def _sign_in(world: World, **typed: str) -> InsideVisitor:
    return world.visitor().get("/sign-in").submit("password", **typed)


@scene("/sign-in", 400)
def sign_in_empty(world: World) -> InsideVisitor:
    return _sign_in(world, username="", password="")


@scene("/sign-in", 400)
def sign_in_wrong(world: World) -> InsideVisitor:
    return _sign_in(world, username="nobody", password="Wrong-1-Password")


@scene("/sign-in", 429)
def sign_in_locked(world: World) -> InsideVisitor:
    visitor = world.visitor().get("/sign-in")
    for _ in range(6):
        visitor.submit("password", username="nobody", password="Wrong-1-Password")
    return visitor


@scene("/sign-in")
def sign_in_at_a_portal(world: World) -> InsideVisitor:
    return world.ask(world.visitor())


@scene("/register/person", 400)
def register_person_empty(world: World) -> InsideVisitor:
    empty = dict.fromkeys(NEW_PERSON, "") | {"document_type": "none", "code": ""}
    return world.visitor().get("/register/person").submit("document_number", **empty, action="register")


@scene("/register/person", 400)
def register_person_wrong(world: World) -> InsideVisitor:
    wrong = {"document_number": fictional.resident_id(3)[:-1] + "Z", "phone": "123", "username": "1", "name": "甲"}
    passwords = {"password": "asdfgh", "password_again": "asdfgh"}
    typed = NEW_PERSON | wrong | passwords | {"code": "123456"}
    return world.visitor().get("/register/person").submit("document_number", **typed, action="register")


@scene("/register/person", 400)
def register_person_taken(world: World) -> InsideVisitor:
    taken = {"document_number": fictional.resident_id(0), "username": "user_0000", "code": "123456"}
    return world.visitor().get("/register/person").submit("document_number", **NEW_PERSON | taken, action="register")


@scene("/register/person")
def register_person_code(world: World) -> InsideVisitor:
    return world.visitor().get("/register/person").submit("document_number", **NEW_PERSON, action="send_code")


@scene("/register/person", 429)
def register_person_code_again(world: World) -> InsideVisitor:
    visitor = register_person_code(world)
    return visitor.submit("document_number", **NEW_PERSON, action="send_code")


@scene("/register/unit", 400)
def register_unit_1_wrong(world: World) -> InsideVisitor:
    return world.visitor().get("/register/unit").submit("agent_username", **AGENT | {"agent_username": "x"})


@scene("/register/unit", 400)
def register_unit_1_level(world: World) -> InsideVisitor:
    beginner = {"agent_username": fictional.login_name(1), "agent_document_number": fictional.resident_id(1)}
    return world.visitor().get("/register/unit").submit("agent_username", **beginner)


@scene("/register/unit/2")
def register_unit_2(world: World) -> InsideVisitor:
    return world.visitor().get("/register/unit").submit("agent_username", **AGENT, action="next")


@scene("/register/unit/2", 400)
def register_unit_2_empty(world: World) -> InsideVisitor:
    return register_unit_2(world).submit("document_number", action="next")


def _with_seat(visitor: InsideVisitor) -> InsideVisitor:
    visitor.submit("document_number", province="440000", action="load_region")
    visitor.submit("document_number", city="440700", action="load_region")
    return visitor


@scene("/register/unit/2", 400)
def register_unit_2_taken(world: World) -> InsideVisitor:
    taken = UNIT | {"document_number": fictional.uscc(1), "district": "440703"}
    return _with_seat(register_unit_2(world)).submit("document_number", **taken, action="next")


@scene("/register/unit/3")
def register_unit_3(world: World) -> InsideVisitor:
    return _with_seat(register_unit_2(world)).submit("document_number", **UNIT, district="440703", action="next")


@scene("/register/unit/3", 400)
def register_unit_3_wrong(world: World) -> InsideVisitor:
    return register_unit_3(world).submit("code", action="send_code").submit("code", code="12", action="register")


@scene("/register/unit/done")
def register_unit_done(world: World) -> InsideVisitor:
    visitor = world.visitor()
    with visitor.client.session_transaction() as session:
        session["registered_unit"] = world.unit
    return visitor.get("/register/unit/done")


@scene("/sign-in", 400)
def stale_form(world: World) -> InsideVisitor:
    return world.visitor().get("/sign-in").submit("password", username="x", password="y", csrf_token="stale")


# --- Scanning ------------------------------------------------------------------------------------------------------


def _code(world: World, **query: str) -> tuple[InsideVisitor, str]:
    """Let a browser show a QR code; return it, and the path that the code names."""
    visitor = world.visitor().get("/sign-in/scan", **query)
    return visitor, "/scan/" + visitor.url.rsplit("/", 1)[1].partition("?")[0]


@scene("/sign-in/scan/…")
def scan_code(world: World) -> InsideVisitor:
    return _code(world)[0]


@scene("/sign-in/scan/…")
def scan_number(world: World) -> InsideVisitor:
    visitor, path = _code(world, as_unit="1")
    world.agent().get(path)
    return visitor.submit("csrf_token")


@scene("/sign-in/scan/…")
def scan_refused_here(world: World) -> InsideVisitor:
    visitor, path = _code(world)
    world.agent().get(path).submit("number", action="refuse")
    return visitor.get(visitor.url)


@scene("/sign-in/scan/…")
def scan_confirmed_here(world: World) -> InsideVisitor:
    visitor = scan_done(world)
    ticket_id = visitor.url.rsplit("/", 1)[1].replace("-", "")
    return world.visitor().get(f"/sign-in/scan/{ticket_id}")


@scene("/sign-in/scan/…", 404)
def scan_gone_here(world: World) -> InsideVisitor:
    return world.visitor().get("/sign-in/scan/b_00000000")


@scene("/scan/…")
def scan_sign_in_first(world: World) -> InsideVisitor:
    return world.visitor().get(_code(world)[1])


@scene("/scan/…")
def scan_with_a_unit_account(world: World) -> InsideVisitor:
    return world.our_unit().get(_code(world)[1])


@scene("/scan/…")
def scan_for_a_unit_account(world: World) -> InsideVisitor:
    return world.agent().get(_code(world, tab="unit")[1])


@scene("/scan/…")
def scan_with_an_old_sign_in(world: World) -> InsideVisitor:
    return world.agent().get(_code(world, again="1")[1])


@scene("/scan/…", 400)
def scan_wrong_number(world: World) -> InsideVisitor:
    return world.agent().get(_code(world)[1]).submit("number", number="x", action="confirm")


@scene("/scan/…")
def scan_done(world: World) -> InsideVisitor:
    _, path = _code(world)
    number = scan.watch(path.rsplit("/", 1)[1], BROWSER).number
    return world.agent().get(path).submit("number", number=number, action="confirm")


@scene("/scan/…")
def scan_refused(world: World) -> InsideVisitor:
    return world.agent().get(_code(world)[1]).submit("number", action="refuse")


@scene("/scan/…", 404)
def scan_gone(world: World) -> InsideVisitor:
    return world.agent().get("/scan/b_00000000")


@scene("/scan/…", 409)
def scan_taken(world: World) -> InsideVisitor:
    _, path = _code(world)
    world.agent().get(path)
    other = world.visitor()
    with other.client.session_transaction() as session:
        session["browser"] = "another-phone"
    return other.get(path)


# --- Persons -------------------------------------------------------------------------------------------------------

of(World.agent, "account", "/account")
of(World.agent, "parent_accounts", PARENTS)
of(World.agent, "agreements", "/account/agreements")
of(World.agent, "forbidden", "/unit", 403)
of(World.agent, "wrong_method", "/account/devices/end", 405)
of(World.agent, "sign_out", "/sign-out")
of(World.beginner, "account_at_level_1", "/account")
of(World.beginner, "raise_level", "/raise-level")
of(World.beginner, "unionpay", "/account/unionpay")


@scene("/account/unionpay", 400)
def unionpay_wrong(world: World) -> InsideVisitor:
    typed = {"bank_card": "6200000000000000", "phone": "12", "code": ""}
    return world.beginner().get("/account/unionpay").submit("bank_card", **typed, action="verify")


@scene("/account/devices")
def devices(world: World) -> InsideVisitor:
    rows.signed_in(world.person)
    return world.agent().get("/account/devices")


@scene("/account/agreements")
def agreements_given(world: World) -> InsideVisitor:
    visitor = world.visitor("/callback").sign_in(world.person)
    world.ask(visitor, scope="openid profile phone").submit("consent", consent="allow")
    return visitor.get("/account/agreements")


@scene(PARENTS)
def parent_accepted(world: World) -> InsideVisitor:
    return world.agent().get(PARENTS).submit("answer", answer="accept")


@scene(PARENTS)
def parent_accounts_none(world: World) -> InsideVisitor:
    return world.visitor().sign_in(rows.person(4)).get(PARENTS)


@scene(PARENTS + "/…/leave")
def leave(world: World) -> InsideVisitor:
    return world.agent().get(f"{PARENTS}/{world.binding}/leave")


@scene("/sign-out")
def signed_out(world: World) -> InsideVisitor:
    return world.agent().get("/sign-out").submit("logout", logout="yes")


@scene("/device", 400)
def device_wrong(world: World) -> InsideVisitor:
    return world.agent().get("/device").submit("user_code", user_code="BBBB-BBBB")


@scene("/device", 429)
def device_locked(world: World) -> InsideVisitor:
    visitor = world.agent()
    for _ in range(6):
        visitor.get("/device").submit("user_code", user_code="BBBB-BBBB")
    return visitor


@scene("/consent")
def device_consent(world: World) -> InsideVisitor:
    return world.at_device(world.agent())


@scene("/device/done")
def device_done(world: World) -> InsideVisitor:
    return world.at_device(world.agent()).submit("consent", consent="allow")


@scene("/device/refused")
def device_refused(world: World) -> InsideVisitor:
    return world.at_device(world.agent()).submit("consent", consent="deny")


@scene("/oidc/end_session", 400)
def sign_out_unreadable(world: World) -> InsideVisitor:
    return world.agent().get("/oidc/end_session", id_token_hint="not.a.token")


# --- Factors -------------------------------------------------------------------------------------------------------

SECURITY = "/account/security"
plain("sign_in_passkey", "/sign-in/passkey")
of(World.agent, "security", SECURITY)
of(World.agent, "step_up_first", "/step-up")
of(World.agent, "step_up_gone", "/step-up/totp", 404)


def _owner(world: World) -> InsideVisitor:
    """Return person 0, signed in as strongly as adding a factor takes, with an authenticator app and a passkey."""
    with transaction() as session:
        added = {"person_id": world.person, "created_at": clock.now()}
        session.add(Totp(secret="A" * 32, last_step=0, **added))
        session.add(
            Passkey(id="pk_1", credential_id="AAAA", public_key=b"", sign_count=0, name="A", transports=[], **added)
        )
        recovery_codes.make(session, world.person)
    return _strong(world)


def _strong(world: World) -> InsideVisitor:
    visitor = world.visitor()
    visitor.client.set_cookie("jingban_session", start(world.person, "pwd", "sms"))
    return visitor


def _newcomer(world: World) -> InsideVisitor:
    """Return person 9, whose account an upstream made, signed in by it."""
    visitor = world.visitor()
    visitor.client.set_cookie("jingban_session", start(rows.person(9), "fed"))
    return visitor


of(_newcomer, "security_without_password", SECURITY)
of(_newcomer, "account_without_password", "/account")


def _linked(world: World) -> InsideVisitor:
    """Return person 9, signed in as the province's account that their own is linked to."""
    arrived = arrival.first_login(vouching.person(9), "from_there", Browser("192.0.2.1", "test"))
    assert isinstance(arrived, arrival.Entered)
    visitor = world.visitor()
    visitor.client.set_cookie("jingban_session", arrived.token)
    return visitor


of(_linked, "security_linked", SECURITY)
of(_linked, "unlink", SECURITY + "/upstreams/province/unlink")
of(_linked, "unlink_nothing", SECURITY + "/upstreams/none/unlink", 404)


def _linked_unit(world: World) -> InsideVisitor:
    """Return unit 1, signed in as the province's account that its own is linked to."""
    here = who(rows.signed_in(world.unit, AccountKind.UNIT))
    arrived = arrival.arrive(vouching.unit(), vouching.BROWSER, here)
    assert isinstance(arrived, arrival.Entered)
    visitor = world.visitor()
    visitor.client.set_cookie("jingban_session", arrived.token)
    return visitor


of(_linked_unit, "unit_security", "/unit/security")
of(_linked_unit, "unlink_of_a_unit", SECURITY + "/upstreams/province/unlink")


@scene("/sign-in")
def unlinked(world: World) -> InsideVisitor:
    return _linked(world).get(SECURITY + "/upstreams/province/unlink").submit("confirm", confirm="yes")


@scene(SECURITY + "/password", 400)
def set_password_refused(world: World) -> InsideVisitor:
    typed = {"username": "1", "password": "x", "password_again": "y"}
    return _newcomer(world).get(SECURITY + "/password").submit("password", **typed)


@scene(SECURITY)
def set_password(world: World) -> InsideVisitor:
    typed = {"password": fictional.password(), "password_again": fictional.password()}
    return _newcomer(world).get(SECURITY + "/password").submit("password", **typed)


@scene(SECURITY)
def set_password_again(world: World) -> InsideVisitor:
    return set_password(world).get(SECURITY + "/password")


@scene(SECURITY)
def set_password_by_phone(world: World) -> InsideVisitor:
    visitor = world.visitor()
    visitor.client.set_cookie("jingban_session", start(rows.person(9), "sms"))
    return visitor.get(SECURITY + "/password")


@scene("/sign-in/sms", 400)
def sign_in_sms(world: World) -> InsideVisitor:
    visitor = world.visitor().get("/sign-in/sms").submit("phone", phone="13800138009", action="send_code")
    code = codes.sent_to(fictional.mobile(9))[-1]
    return visitor.submit("phone", phone="13800138009", code=code, action="sign_in")


@scene(SECURITY)
def security_full(world: World) -> InsideVisitor:
    return _owner(world).get(SECURITY)


@scene(SECURITY + "/totp", 400)
def totp_new(world: World) -> InsideVisitor:
    return _strong(world).get(SECURITY + "/totp").submit("code", code="no")


@scene(SECURITY + "/totp", 409)
def totp_second(world: World) -> InsideVisitor:
    return _owner(world).get(SECURITY + "/totp")


@scene(SECURITY + "/totp/remove")
def totp_remove(world: World) -> InsideVisitor:
    return _owner(world).get(SECURITY + "/totp/remove")


@scene(SECURITY)
def totp_removed(world: World) -> InsideVisitor:
    return totp_remove(world).submit("confirm", confirm="yes")


@scene(SECURITY + "/recovery-codes")
def recovery_codes_ask(world: World) -> InsideVisitor:
    return _owner(world).get(SECURITY + "/recovery-codes")


@scene(SECURITY + "/recovery-codes")
def recovery_codes_shown(world: World) -> InsideVisitor:
    return recovery_codes_ask(world).submit("confirm", confirm="yes")


@scene(SECURITY + "/passkeys/new", 400)
def passkey_new(world: World) -> InsideVisitor:
    return _strong(world).get(SECURITY + "/passkeys/new").submit("credential", name="A")


@scene(SECURITY + "/passkeys/…/remove")
def passkey_remove(world: World) -> InsideVisitor:
    return _owner(world).get(SECURITY + "/passkeys/pk_1/remove")


@scene("/step-up/sms", 400)
def step_up_sms(world: World) -> InsideVisitor:
    visitor = world.agent().get("/step-up/sms").submit("code", action="send_code")
    code = codes.wrong(codes.sent_to(fictional.mobile())[-1])
    return visitor.submit("code", code=code, action="verify")


def _step_up(world: World, way: str, field: str) -> InsideVisitor:
    visitor = _owner(world)
    with transaction() as session:
        session.get_one(Person, world.person).password_hash = "none"
    visitor.client.set_cookie("jingban_session", start(world.person, "sms" if way == "password" else "pwd"))
    return visitor.get(f"/step-up/{way}").submit(field, **({} if field == "credential" else {field: "no"}))


@scene("/step-up/totp", 400)
def step_up_totp(world: World) -> InsideVisitor:
    return _step_up(world, "totp", "code")


@scene("/step-up/recovery-code", 400)
def step_up_recovery_code(world: World) -> InsideVisitor:
    return _step_up(world, "recovery-code", "code")


@scene("/step-up/password", 400)
def step_up_password(world: World) -> InsideVisitor:
    return _step_up(world, "password", "password")


@scene("/step-up/passkey", 400)
def step_up_passkey(world: World) -> InsideVisitor:
    return _step_up(world, "passkey", "credential")


@scene("/raise-level")
def raise_level_by_a_factor(world: World) -> InsideVisitor:
    visitor = world.visitor().sign_in(rows.person(5, real_name_level=3))
    return world.ask(visitor, acr_values="urn:jingban:acr:L2", scope="openid")


# --- Units ---------------------------------------------------------------------------------------------------------

of(World.our_unit, "unit", "/unit")
of(World.our_unit, "unit_edit", "/unit/edit")
of(World.our_unit, "unit_agreements", "/account/agreements")
of(World.our_unit, "sub_accounts", UNITS)
of(World.our_unit, "bind", UNITS + "/new")


@scene("/unit")
def unit_new(world: World) -> InsideVisitor:
    return world.visitor().sign_in(rows.unit(9), AccountKind.UNIT).get("/unit")


@scene("/unit")
def unit_verified(world: World) -> InsideVisitor:
    unit = rows.unit(9, verified_at=clock.now(), trust_level=1)
    return world.visitor().sign_in(unit, AccountKind.UNIT).get("/unit")


of(World.our_unit, "unit_verification", "/unit/verification")


@scene("/unit/verification", 400)
def unit_verification_wrong(world: World) -> InsideVisitor:
    return world.our_unit().get("/unit/verification").submit("code", code="AAAA-BBBB-CCCC")


@scene(PARENTS + "/…/verification", 400)
def unit_verification_malformed(world: World) -> InsideVisitor:
    return world.agent().get(f"{PARENTS}/{world.binding}/verification").submit("code", code="1")


@scene(PARENTS + "/…/verification", 429)
def unit_verification_locked(world: World) -> InsideVisitor:
    visitor = verification_from_the_chooser(world)
    for _ in range(5):
        visitor.submit("code", code="AAAA-BBBB-CCCC")
    return visitor


@scene(PARENTS)
def parent_verified(world: World) -> InsideVisitor:
    visitor = world.agent().get(f"{PARENTS}/{world.binding}/verification")
    return visitor.submit("code", code=unit_verification.issue(fictional.uscc(1)).code)


@scene("/unit/edit", 400)
def unit_edit_wrong(world: World) -> InsideVisitor:
    return world.our_unit().get("/unit/edit").submit("name", name="广 州", legal_representative="9", action="save")


@scene("/unit")
def unit_saved(world: World) -> InsideVisitor:
    return world.our_unit().get("/unit/edit").submit("name", action="save")


@scene(UNITS)
def sub_accounts_none(world: World) -> InsideVisitor:
    return world.visitor().sign_in(rows.unit(9), AccountKind.UNIT).get(UNITS)


@scene(UNITS)
def sub_accounts_many(world: World) -> InsideVisitor:
    for n in range(20, 40):
        rows.binding(world.unit, rows.person(n), status="refused")
    return world.our_unit().get(UNITS, page="2")


@scene(UNITS)
def bind_sent(world: World) -> InsideVisitor:
    rows.person(3)
    return world.our_unit().get(UNITS + "/new").submit("username", **BOUND, kind="agent", action="bind")


@scene(UNITS + "/new", 400)
def bind_wrong(world: World) -> InsideVisitor:
    return world.our_unit().get(UNITS + "/new").submit("username", **BOUND, kind="agent", action="bind")


@scene(UNITS + "/new", 400)
def bind_empty(world: World) -> InsideVisitor:
    typed = dict.fromkeys(BOUND, "") | {"kind": ""}
    return world.our_unit().get(UNITS + "/new").submit("username", **typed, action="bind")


@scene(UNITS + "/…/unbind")
def unbind(world: World) -> InsideVisitor:
    return world.our_unit().get(world.form_of_agent() + "/unbind")


@scene(UNITS)
def unbind_contact(world: World) -> InsideVisitor:
    return world.our_unit().get(f"{UNITS}/{world.contact}/unbind")


@scene(UNITS + "/…/common-contact")
def common_contact(world: World) -> InsideVisitor:
    return world.our_unit().get(world.form_of_agent() + "/common-contact")


@scene(UNITS + "/…/grants")
def grants(world: World) -> InsideVisitor:
    rows.business("rec.late", name="Late")
    rows.grant(world.binding, "rec.late", clock.now() + timedelta(days=9), valid_from=clock.now() + timedelta(days=5))
    return world.our_unit().get(world.form_of_agent() + "/grants")


@scene(UNITS + "/…/grants", 400)
def grants_wrong(world: World) -> InsideVisitor:
    typed = {"business": "", "valid_from": "yesterday", "valid_to": "2020-01-01"}
    visitor = world.our_unit().get(world.form_of_agent() + "/grants")
    return visitor.submit("business", **typed, action="grant")


@scene(UNITS + "/…/grants/rec.position/withdraw")
def withdraw(world: World) -> InsideVisitor:
    return world.our_unit().get(world.form_of_agent() + "/grants/rec.position/withdraw")


@scene(UNITS + "/…/grants")
def withdrawn(world: World) -> InsideVisitor:
    return withdraw(world).submit("confirm", confirm="yes")


# --- On the way to a portal ----------------------------------------------------------------------------------------


@scene("/choose-unit")
def chooser(world: World) -> InsideVisitor:
    return world.ask(world.agent(), scope="openid rec.position", prompt="select_account")


@scene("/choose-unit")
def chooser_with_a_reason(world: World) -> InsideVisitor:
    return world.ask(world.agent(), scope="openid rec.fair", org_hint=fictional.uscc(1))


@scene(PARENTS + "/…/verification")
def verification_from_the_chooser(world: World) -> InsideVisitor:
    """Come from the chooser, where the unit is greyed, by its button."""
    visitor = world.ask(world.agent(), scope="openid rec.fair", prompt="select_account")
    found = re.search(r'href="([^"]+/verification[^"]+)"', visitor.text)
    assert found, visitor.text
    return visitor.get(found[1].replace("&amp;", "&"))


@scene("/choose-unit/…/ask")
def ask_for_grant(world: World) -> InsideVisitor:
    visitor = chooser(world)
    found = re.search(r'href="(/choose-unit/[^"]+/ask\?[^"]+)"', visitor.text)
    assert found, visitor.text
    return visitor.get(found[1].replace("&amp;", "&"))


@scene("/choose-unit")
def chooser_that_waits(world: World) -> InsideVisitor:
    visitor = ask_for_grant(world)
    return visitor.post(visitor.url)


@scene("/choose-unit/…/ask", 409)
def ask_for_grant_again(world: World) -> InsideVisitor:
    visitor = ask_for_grant(world)
    address = visitor.url
    return visitor.post(address).post(address)


@scene(UNITS)
def grant_requests(world: World) -> InsideVisitor:
    rows.business("rec.more", name="More jobs")
    requests.ask(world.person, world.unit, ["rec.more"])
    return world.our_unit().get(UNITS)


@scene(UNITS)
def grant_request_refused(world: World) -> InsideVisitor:
    visitor = grant_requests(world)
    found = re.search(r'action="([^"]+/refuse)"', visitor.text)
    assert found, visitor.text
    return visitor.post(found[1])


@scene("/choose-unit", 400)
def chooser_unanswered(world: World) -> InsideVisitor:
    visitor = chooser(world)
    return visitor.post(visitor.url)


@scene("/choose-unit")
def chooser_without_units(world: World) -> InsideVisitor:
    visitor = world.visitor().sign_in(rows.person(4))
    return world.ask(visitor, scope="openid", prompt="select_account")


@scene("/consent")
def consent(world: World) -> InsideVisitor:
    return world.ask(world.agent(), scope="openid profile phone offline_access", prompt="consent")


@scene("/consent")
def consent_for_a_unit(world: World) -> InsideVisitor:
    return world.ask(world.agent(), scope="openid rec.position", org_hint=fictional.uscc(1))


@scene("/consent")
def consent_for_more(world: World) -> InsideVisitor:
    visitor = world.visitor("/callback").sign_in(world.person)
    world.ask(visitor, scope="openid profile").submit("consent", consent="allow")
    return world.ask(visitor, scope="openid profile phone")


def _portal(**changes: Any) -> str:
    callback = ["https://portal.example/callback"]
    return rows.client("other", client_name="Other portal", redirect_uris=callback, **changes)


@scene("/raise-level")
def raise_level_for_a_portal(world: World) -> InsideVisitor:
    return world.ask(world.beginner(), client_id=_portal(min_person_level=1))


@scene("/raise-level")
def raise_level_out_of_reach(world: World) -> InsideVisitor:
    return world.ask(world.agent(), client_id=_portal(min_person_level=3))


@scene("/raise-level")
def raise_level_of_a_unit(world: World) -> InsideVisitor:
    return world.ask(world.our_unit(), client_id=_portal(allows_unit_accounts=True, min_unit_level=3))


def _alone(world: World, n: int = 8) -> InsideVisitor:
    """Come from a portal as a unit without agents that wants a business for which its representative is checked."""
    rows.business("hall.stabilization", name="Job retention refund", open_to_unit_account=True)
    visitor = world.visitor().sign_in(rows.unit(n), AccountKind.UNIT)
    return _ask_for_refund(world, visitor)


def _ask_for_refund(world: World, visitor: InsideVisitor) -> InsideVisitor:
    portal = _portal(allows_unit_accounts=True, scopes=["openid", "hall.stabilization"])
    return world.ask(visitor, client_id=portal, scope="openid hall.stabilization")


def _check(visitor: InsideVisitor, **changes: Any) -> None:
    """Let a check be under way in the interaction where `visitor` stands."""
    with transaction() as session:
        check = RepresentativeCheck(
            id="f_scene",
            interaction_id=parse_qs(urlsplit(visitor.url).query)["interaction"][0],
            unit_id=session.scalars(select(Unit.id).where(Unit.login_name == "unit_0008")).one(),
            business_code="hall.stabilization",
            gateway_id="0123456789",
            url="https://face.example/check/1",
            state="pending",
            created_at=clock.now(),
            expires_at=clock.now() + timedelta(minutes=5),
        )
        for name, value in changes.items():
            setattr(check, name, value)
        session.add(check)


REPRESENTATIVE = "/legal-representative"


@scene(REPRESENTATIVE)
def legal_representative(world: World) -> InsideVisitor:
    return _alone(world)


@scene(REPRESENTATIVE)
def legal_representative_waiting(world: World) -> InsideVisitor:
    visitor = _alone(world)
    _check(visitor)
    return visitor.get(visitor.url)


@scene(REPRESENTATIVE)
def legal_representative_failed(world: World) -> InsideVisitor:
    visitor = _alone(world)
    _check(visitor, state="failed")
    return visitor.get(visitor.url)


@scene(REPRESENTATIVE)
def legal_representative_expired(world: World) -> InsideVisitor:
    visitor = _alone(world)
    _check(visitor, state="expired")
    return visitor.get(visitor.url)


@scene(REPRESENTATIVE, 403)
def legal_representative_with_agents(world: World) -> InsideVisitor:
    rows.business("hall.stabilization", name="Job retention refund", open_to_unit_account=True)
    return _ask_for_refund(world, world.our_unit())


@scene(REPRESENTATIVE, 409)
def legal_representative_differs(world: World) -> InsideVisitor:
    return _compared(world, "differs")


@scene(REPRESENTATIVE, 409)
def legal_representative_revoked(world: World) -> InsideVisitor:
    return _compared(world, "agrees", status=CompanyStatus.REVOKED)


@scene(REPRESENTATIVE, 409)
def legal_representative_not_in_register(world: World) -> InsideVisitor:
    return _compared(world, "nothing")


@scene(REPRESENTATIVE, 503)
def legal_representative_register_away(world: World) -> InsideVisitor:
    visitor = _alone(world)
    return visitor.post(visitor.url)


@scene("/unit")
def unit_with_checks(world: World) -> InsideVisitor:
    visitor = _alone(world)
    _check(visitor, state="passed", used_at=clock.now())
    return visitor.get("/unit")


def _compared(world: World, what: str, status: CompanyStatus = CompanyStatus.ACTIVE) -> InsideVisitor:
    """Press 确定 while the register answers so."""
    name = fictional.unit_name(9 if what == "differs" else 8)
    entry = Company(fictional.uscc(8), name, fictional.person_name(7), None, status, "enterprise", rows.SEAT)
    gateways = world.app.extensions["jingban.gateways"]
    register = Register(None if what == "nothing" else entry)
    world.app.extensions["jingban.gateways"] = replace(gateways, company_register=register)
    visitor = _alone(world)
    return visitor.post(visitor.url)


@dataclass
class Register:
    """A company register that has one answer."""

    entry: Company | None

    def look_up(self, uscc: str) -> Company | None:
        """Answer."""
        del uscc
        return self.entry


@scene("/oidc/authorize", 403)
def account_refused(world: World) -> InsideVisitor:
    return world.ask(world.our_unit(), client_id=_portal())


@scene("/oidc/authorize")
def form_post(world: World) -> InsideVisitor:
    return world.ask(world.agent(), client_id=_portal(consent_required=False), response_mode="form_post")


@scene(PARENTS)
def parent_accounts_on_the_way(world: World) -> InsideVisitor:
    request = AuthorizationRequest("portal", "https://portal.example/callback", "code", "query", ("openid",))
    waiting = interactions.begin(request, BROWSER)
    return world.agent().get(PARENTS, interaction=waiting)
