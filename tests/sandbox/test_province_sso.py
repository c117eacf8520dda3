"""The province's own protocol (DESIGN 6, F1)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.province import create_app
from sandbox.province.tickets import Tickets
from sandbox.web import Invalid
from tests.sandbox.client import KEY, Client
from tests.sandbox.province import (
    CALLBACK,
    DISABLED,
    PERSON,
    SEED,
    UNIT,
    access_token,
    query_of,
    sso_authorize,
    token_info,
    user_object,
)
from tests.support import fictional


def test_a_person_is_described_in_the_provinces_words(upstream: Client) -> None:
    assert user_object(upstream) == {
        "uid": "jiazi",
        "useridcode": "p-0001",
        "cn": fictional.person_name(),
        "usertype": "1",
        "idcardtype": "10",
        "idcardnumber": fictional.resident_id(),
        "telephonenumber": fictional.mobile().removeprefix("+86"),
        "isreal": "1",
        "creditable_level_of_account": "L2",
        "creditable_level_of_account_way": "face",
        "creditable_level_of_account_time": "2026-03-01 09:30:00",
        "origin": "province",
    }


def test_a_legal_entity_names_its_people(upstream: Client) -> None:
    found = user_object(upstream, UNIT)
    assert (
        found
        | {
            "usertype": "2",
            "idcardtype": "49",
            "idcardnumber": fictional.uscc(),
            "creditable_level_of_account": "L3",
            "creditable_level_of_account_time": "2026-03-02 08:00:00",
            "legal_person": fictional.person_name(1),
            "legal_code": fictional.resident_id(1),
            "link_person_name": fictional.person_name(2),
            "link_person_type": "10",
            "link_person_code": fictional.resident_id(2),
        }
        == found
    )


@pytest.mark.parametrize(("document", "code"), [("passport", "20"), ("hk_macao_permit", "40")])
def test_documents_that_the_province_tells_apart(upstream: Client, document: str, code: str) -> None:
    changed = PERSON | {"document_type": document, "document_number": "UT0000001"}
    assert upstream.put("/persons/p-0001", changed).status_code == 200
    assert user_object(upstream)["idcardtype"] == code


def test_an_organisation_code_is_type_50(upstream: Client) -> None:
    """F5"""
    body = {name: value for name, value in UNIT.items() if name not in {"uscc", "useridcode"}}
    old = body | {"login": "old", "org_code": fictional.org_code()}
    assert upstream.put("/legal-entities/u-0002", old).status_code == 201
    found = user_object(upstream, UNIT | {"login": "old"})
    assert (found["idcardtype"], found["idcardnumber"]) == ("50", fictional.org_code())


def test_the_answer_keeps_the_query_of_the_redirect_uri(upstream: Client) -> None:
    answer = sso_authorize(upstream)
    assert answer.headers["Location"].startswith(CALLBACK + "&code=")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "stranger"},
        {"redirect_uri": "https://elsewhere.example/"},
        {"redirect_uri": "http://localhost:9@elsewhere.example/"},
        {"service": "another"},
        {"scope": "openid"},
        {"response_type": "token"},
    ],
)
def test_a_wrong_request_leads_nowhere(upstream: Client, changes: dict[str, str]) -> None:
    answer = sso_authorize(upstream, **changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "account",
    [
        PERSON | {"password": "wrong"},
        PERSON | {"login": "keji"},
        UNIT | {"document_number": "on the other tab"},
        DISABLED,
    ],
)
def test_who_may_not_sign_in_stays_on_the_page(upstream: Client, account: dict[str, object]) -> None:
    answer = sso_authorize(upstream, account)
    assert (answer.status_code, 'role="alert"' in answer.text) == (400, True)


def test_a_code_works_once(upstream: Client) -> None:
    code = query_of(sso_authorize(upstream))["code"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: access_token(upstream, code), range(16)))
    assert sorted("access_token" in answer for answer in answers) == [False] * 15 + [True]
    assert {answer["errcode"] for answer in answers if "errcode" in answer} == {40003}


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"client_secret": "wrong"}, 40001),
        ({"client_id": "stranger"}, 40001),
        ({"redirect_uri": CALLBACK + "x"}, 40003),
        ({"code": "unknown"}, 40003),
        ({"grant_type": "password"}, 40002),
        ({"scope": "some"}, 40002),
    ],
)
def test_a_wrong_token_request_has_an_errcode(upstream: Client, changes: dict[str, str], errcode: int) -> None:
    code = query_of(sso_authorize(upstream))["code"]
    answer = access_token(upstream, **({"code": code} | changes))
    assert (answer["errcode"], "access_token" in answer) == (errcode, False)


def test_an_unknown_token_has_an_errcode(upstream: Client) -> None:
    assert token_info(upstream, "unknown")["errcode"] == 40101


def test_codes_last_for_a_minute() -> None:
    now = 1000.0
    tickets: Tickets[str] = Tickets(60, lambda: now)
    early, late = tickets.issue("a"), tickets.issue("b")
    now += 59.9
    assert tickets.claim(early) == "a"
    now += 0.1
    assert tickets.look(late) is None
    assert tickets.claim(late) is None


@pytest.mark.parametrize(
    ("mode", "level"), [("unknown_level", "L9"), ("no_level", None), ("none", "L2"), ("wrong_nonce", "L2")]
)
def test_the_level_follows_the_fault(upstream: Client, mode: str, level: str | None) -> None:
    assert upstream.fault(mode).json()["mode"] == mode
    assert user_object(upstream).get("creditable_level_of_account") == level


@pytest.mark.parametrize(("mode", "errcode"), [("account_disabled", 40301), ("expired_token", 40101)])
def test_a_token_may_lose_its_worth(upstream: Client, mode: str, errcode: int) -> None:
    token = access_token(upstream, query_of(sso_authorize(upstream))["code"])["access_token"]
    upstream.fault(mode)
    assert token_info(upstream, token)["errcode"] == errcode


def test_an_account_that_is_disabled_meanwhile_is_not_described(upstream: Client) -> None:
    token = access_token(upstream, query_of(sso_authorize(upstream))["code"])["access_token"]
    upstream.put("/persons/p-0001", PERSON | {"disabled": True})
    assert token_info(upstream, token)["errcode"] == 40301


def test_the_social_card_knows_persons_only(social_card: Client) -> None:
    """P7"""
    assert user_object(social_card)["origin"] == "social-card"
    assert "法人登录" not in sso_authorize(social_card, PERSON | {"password": "wrong"}).text
    assert sso_authorize(social_card, UNIT).status_code == 400
    assert social_card.put("/legal-entities/u-0001", UNIT).status_code == 400


def test_clients_are_registered_with_their_prefixes(upstream: Client) -> None:
    address = "https://sso.example/upstream/callback"
    assert sso_authorize(upstream, client_id="sso", redirect_uri=address).status_code == 400
    assert upstream.put("/clients/sso", {"redirect_prefixes": ["https://sso.example/"]}).status_code == 201
    assert "code" in query_of(sso_authorize(upstream, client_id="sso", redirect_uri=address))


@pytest.mark.parametrize(
    ("seed", "reason"),
    [
        ([], "province-data"),
        ({"persons": [PERSON | {"level": "L4"}]}, "level"),
        ({"persons": [PERSON | {"level_at": "yesterday"}]}, "level_at"),
        ({"persons": [PERSON, PERSON | {"useridcode": "p-0003"}]}, "login"),
        ({"legal_entities": [UNIT | {"uscc": "914"}]}, "uscc"),
        ({"clients": [{"client_id": "a", "redirect_prefixes": ["localhost"]}]}, "redirect_prefixes"),
    ],
)
def test_a_seed_that_cannot_be_names_the_field(seed: object, reason: str) -> None:
    create_app(KEY, SEED)
    with pytest.raises(Invalid, match=reason):
        create_app(KEY, seed)
