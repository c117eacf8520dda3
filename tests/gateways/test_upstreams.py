"""The two adapters against the stand-in for the province: what they read, and what they refuse (F1, DESIGN 6)."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from idp import ids
from idp.gateways.province import (
    SubjectKind,
    TripSecrets,
    Upstream,
    UpstreamAccountDisabled,
    UpstreamRefused,
    UpstreamUnavailable,
    Vouched,
    build_upstreams,
)
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.levels import TrustLevel
from idp.settings import Settings, UpstreamSetting
from tests.support import fictional
from tests.support.upstreams import PERSON, UNIT, StandIn, sign_in_there

BACK = "http://localhost:8000/federation/province/return"
PROTOCOLS = ["province", "oidc"]


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def upstream(there: StandIn, protocol: str, **changes: Any) -> Upstream:
    setting = UpstreamSetting(**there.setting(protocol, **changes))
    return build_upstreams([setting], timeout=0.5)["province"]


def new_secrets() -> TripSecrets:
    return TripSecrets(ids.new_secret(), ids.new_secret(), ids.new_secret())


def code_of(adapter: Upstream, secrets: TripSecrets, account: dict[str, Any] = PERSON) -> str:
    """Sign in over there and return the code with which the browser comes back."""
    back = sign_in_there(adapter.authorize_url(secrets, BACK), account)
    assert back.startswith(BACK + "?")
    query = parse_qs(urlsplit(back).query)
    assert query["state"] == [secrets.state]  # also where the upstream knows no state
    return query["code"][0]


def trip(adapter: Upstream, account: dict[str, Any] = PERSON) -> Vouched:
    secrets = new_secrets()
    return adapter.fetch(code_of(adapter, secrets, account), secrets, BACK)


def test_a_person(there: StandIn, protocol: str) -> None:
    """P7: both protocols say the same."""
    assert trip(upstream(there, protocol)) == Vouched(
        upstream="province",
        stable_id="p-0001",
        kind=SubjectKind.PERSON,
        name=fictional.person_name(),
        document_type=PersonDocument.RESIDENT_ID,
        document_number=fictional.resident_id(),
        phone=fictional.mobile(),
        trust_level=TrustLevel.L2,
        trust_level_way="face",
        trust_level_at=datetime(2026, 3, 1, 1, 30, tzinfo=UTC),
    )


def test_a_unit(there: StandIn, protocol: str) -> None:
    """F4: with its legal representative."""
    found = trip(upstream(there, protocol), UNIT)
    assert (found.kind, found.document_type) == (SubjectKind.UNIT, UnitDocument.USCC)
    assert (found.name, found.document_number) == (fictional.unit_name(1), fictional.uscc(1))
    assert found.legal_representative is not None
    assert found.legal_representative.name == fictional.person_name(6)
    assert found.trust_level is TrustLevel.L2


def test_nothing_personal_is_printed(there: StandIn, protocol: str) -> None:
    printed = repr(trip(upstream(there, protocol), UNIT))
    for told in (UNIT["name"], UNIT["uscc"], UNIT["useridcode"], fictional.person_name(6), fictional.mobile(1)):
        assert told not in printed


@pytest.mark.parametrize("fault", ["unknown_level", "no_level"])
def test_an_unknown_level_is_the_lowest(there: StandIn, protocol: str, fault: str) -> None:
    """F2: never mapped upwards."""
    there.fault(fault)
    assert trip(upstream(there, protocol)).trust_level is TrustLevel.L0


@pytest.mark.parametrize(
    ("document_type", "number"),
    [
        ("hmt_residence_permit", "810000188001010015"),
        ("foreign_permanent_residence", "944840188001010012"),
        ("passport", "E12345678"),
    ],
)
def test_other_documents(there: StandIn, protocol: str, document_type: str, number: str) -> None:
    """P5. The province lumps permits together as 40: the one kind that fits."""
    there.put(PERSON, document_type=document_type, document_number=number)
    found = trip(upstream(there, protocol))
    assert (found.document_type, found.document_number) == (document_type, number)


def test_an_organisation_code(there: StandIn, protocol: str) -> None:
    there.put(UNIT, uscc=None, org_code=fictional.uscc(1)[8:17])
    assert trip(upstream(there, protocol), UNIT).document_type is UnitDocument.ORG_CODE


def test_what_breaks_our_rules_is_no_identity(there: StandIn, protocol: str) -> None:
    """A number with a wrong check digit is the upstream's mistake or somebody's game."""
    there.put(PERSON, document_number=fictional.resident_id()[:-1] + "0")
    with pytest.raises(UpstreamUnavailable) as caught:
        trip(upstream(there, protocol))
    assert caught.value.reason == "bad_answer"


def test_a_phone_that_gets_no_sms_is_none(there: StandIn, protocol: str) -> None:
    there.put(PERSON, phone="02088888888")
    assert trip(upstream(there, protocol)).phone is None


def test_a_disabled_account(there: StandIn, protocol: str) -> None:
    there.fault("account_disabled")
    with pytest.raises(UpstreamAccountDisabled):
        trip(upstream(there, protocol))


def test_a_code_works_once(there: StandIn, protocol: str) -> None:
    adapter, secrets = upstream(there, protocol), new_secrets()
    code = code_of(adapter, secrets)
    adapter.fetch(code, secrets, BACK)
    with pytest.raises(UpstreamRefused):
        adapter.fetch(code, secrets, BACK)


def test_another_trip_cannot_redeem_the_code(there: StandIn, protocol: str) -> None:
    """A code that was slipped in belongs to another state, and to another verifier."""
    adapter = upstream(there, protocol)
    code = code_of(adapter, new_secrets())
    with pytest.raises(UpstreamRefused):
        adapter.fetch(code, new_secrets(), BACK)


@pytest.mark.parametrize("fault", ["down", "error", "garbage", "slow"])
def test_an_upstream_that_is_away(there: StandIn, protocol: str, fault: str) -> None:
    adapter, secrets = upstream(there, protocol), new_secrets()
    code = code_of(adapter, secrets)
    there.fault(fault, **({"seconds": 1.5} if fault == "slow" else {}))
    with pytest.raises(UpstreamUnavailable) as caught:
        adapter.fetch(code, secrets, BACK)
    assert code not in str(caught.value)


def test_our_own_secret_is_wrong(there: StandIn, protocol: str) -> None:
    adapter, secrets = upstream(there, protocol, client_secret="another"), new_secrets()
    with pytest.raises(UpstreamUnavailable) as caught:
        adapter.fetch(code_of(adapter, secrets), secrets, BACK)
    assert caught.value.reason == "credentials"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("wrong_signature", "wrong_signature"),
        ("foreign_audience", "wrong_audience"),
        ("expired_token", "expired"),
        ("wrong_nonce", "wrong_nonce"),
    ],
)
def test_id_tokens_that_nobody_may_take(there: StandIn, fault: str, reason: str) -> None:
    """OpenID Connect Core §3.1.3.7."""
    there.fault(fault)
    with pytest.raises(UpstreamRefused) as caught:
        trip(upstream(there, "oidc"))
    assert caught.value.reason == reason


def test_keys_are_looked_for_anew_but_not_without_end(there: StandIn) -> None:
    """OpenID Connect Core §10.1.1: an unknown `kid` makes us look again, three times a minute at most."""
    adapter = upstream(there, "oidc")
    trip(adapter)
    for _ in range(2):
        there.rotate_keys()
        trip(adapter)
    there.rotate_keys()
    with pytest.raises(UpstreamRefused) as caught:
        trip(adapter)
    assert caught.value.reason == "unknown_key"


def test_an_issuer_that_calls_itself_otherwise(there: StandIn) -> None:
    """Discovery §4.3: 127.0.0.1 answers, and says that it is 127.0.0.1."""
    with pytest.raises(UpstreamUnavailable):
        upstream(there, "oidc", issuer=there.url.replace("127.0.0.1", "localhost") + "/oidc/").authorize_url(
            new_secrets(), BACK
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "http://province.example"},
        {"base_url": ""},
        {"issuer": "https://province.example"},
        {"protocol": "saml"},
        {"name": "Province"},
        {"client_secret": ""},
        {"kinds": []},
        {"upgrade_url": "javascript:alert(1)"},
        {"unknown": "1"},
    ],
)
def test_a_wrong_setting_stops_the_start(changes: dict[str, Any]) -> None:
    usual = {"name": "province", "title": "省", "protocol": "province", "base_url": "https://province.example"}
    given = {**usual, "client_id": "jingban", "client_secret": "secret", **changes}
    with pytest.raises(ValidationError):
        Settings(upstreams=(given,))


def test_two_upstreams_of_one_name() -> None:
    usual = {"name": "province", "title": "省", "protocol": "province", "base_url": "https://province.example"}
    given = {**usual, "client_id": "jingban", "client_secret": "secret"}
    with pytest.raises(ValidationError, match="same name"):
        Settings(upstreams=(given, given))
