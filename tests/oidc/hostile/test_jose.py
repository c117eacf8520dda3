"""Attacks on the signature and the header of a token (RFC 8725), at everything that takes signed tokens.

And properties: whatever stands in header and claims, no answer is a 5xx; and what is taken was signed by the right
key, under the right algorithm, as the right type, for us.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, RSAKey

from idp.settings import settings
from tests.oidc.hostile.consumers import CONSUMERS, Consumer, House, Json, b64, compact, signed

EXAMPLES = 30
FOREIGN = {"ES256": ECKey.generate_key("P-256"), "RS256": RSAKey.generate_key(2048)}
THEIRS = "the attacker's own key"
ODD_KIDS = (7, ["ec"], {}, "", "../../dev/null", "' OR 1=1", "\x00", "x" * 900)
EVIL = "https://evil.example/keys"
each_consumer = pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer.name)


@each_consumer
def test_an_honest_token_is_taken(house: House, consumer: Consumer) -> None:
    """Else what follows would prove nothing."""
    header, claims = consumer.honest(house)
    response = consumer.send(house, compact(header, claims, consumer.key(), consumer.alg))
    assert consumer.takes(response), response.text


Forge = Callable[[Json, Json, Consumer], str]


def _unsigned(alg: str) -> Forge:
    return lambda header, claims, _: _joined(header | {"alg": alg}, claims, b"")


def _joined(header: Json, claims: Json, signature: bytes) -> str:
    return b".".join((b64(json.dumps(header).encode()), b64(json.dumps(claims).encode()), b64(signature))).decode()


def _by_secret(secret: Callable[[Key], bytes]) -> Forge:
    def forge(header: Json, claims: Json, consumer: Consumer) -> str:
        content = _joined(header | {"alg": "HS256"}, claims, b"").rpartition(".")[0]
        made = hmac.new(secret(consumer.key()), content.encode(), hashlib.sha256).digest()
        return f"{content}.{b64(made).decode()}"

    return forge


def _headed(**members: Any) -> Forge:
    """By the right key, over a header that is not right."""
    return lambda header, claims, consumer: compact(header | members, claims, consumer.key(), consumer.alg)


def _foreign(**members: Any) -> Forge:
    """By the key of an attacker, who says in the header where it is."""

    def forge(header: Json, claims: Json, consumer: Consumer) -> str:
        key = FOREIGN[consumer.alg]
        full = {name: value for name, value in (header | members).items() if value is not None}
        if full.get("jwk") == THEIRS:
            full["jwk"] = key.as_dict(private=False)
        return compact(full, claims, key, consumer.alg)

    return forge


def _written(header: Callable[[str], str], payload: Callable[[str], str] = str) -> Forge:
    """By the right key, over bytes that can be read in two ways."""

    def forge(head: Json, claims: Json, consumer: Consumer) -> str:
        texts = header(json.dumps(head)), payload(json.dumps(claims))
        return signed(texts[0].encode(), texts[1].encode("utf-8", "surrogatepass"), consumer.key(), consumer.alg)

    return forge


def _honest(header: Json, claims: Json, consumer: Consumer) -> str:
    return compact(header, claims, consumer.key(), consumer.alg)


def _cut(change: Callable[[list[str]], str]) -> Forge:
    return lambda header, claims, consumer: change(_honest(header, claims, consumer).split("."))


ATTACKS: dict[str, Forge] = {
    **{f"alg {alg}": _unsigned(alg) for alg in ("none", "None", "NONE", "nOnE", "", " none")},
    "alg none under a signature": _headed(alg="none"),
    "HMAC by the public PEM": _by_secret(lambda key: key.as_pem(private=False)),  # type: ignore[attr-defined]
    "HMAC by the public JWK": _by_secret(lambda key: json.dumps(key.as_dict(private=False)).encode()),
    "HMAC by nothing": _by_secret(lambda _: b""),
    "HMAC by the kid": _by_secret(lambda key: str(key.kid).encode()),
    **{f"alg {alg!r}": _headed(alg=alg) for alg in ("HS256", "ES384", "es256", "ES256 ", "RS512", 7, None, ["ES256"])},
    "another key": _foreign(),
    "another key, named in kid": _foreign(kid="foreign"),
    "another key, no kid": _foreign(kid=None),
    "another key in jwk": _foreign(kid=None, jwk=THEIRS),
    "another key behind jku": _foreign(jku=EVIL),
    "another key behind x5u": _foreign(x5u=EVIL),
    "another key in x5c": _foreign(x5c=["MIIB"]),
    **{
        f"kid {kid!r}": _foreign(kid=kid)
        for kid in (7, ["ec"], {}, "", "../../dev/null", "' OR 1=1", "\x00", "x" * 900)
    },
    "crit": _headed(crit=["exp"]),
    "crit, nothing in it": _headed(crit=[]),
    "crit of what we know": _headed(crit=["alg"]),
    "crit, mistyped": _headed(crit="exp"),
    "b64": _headed(b64=False, crit=["b64"]),
    "b64 without crit": _headed(b64=False),
    "zip": _headed(zip="DEF"),
    "a header member twice": _written(lambda text: text[:-1] + ', "alg": "none"}'),
    "a header member twice, the right one last": _written(lambda text: '{"alg": "none", ' + text[1:]),
    "a claim twice": _written(str, lambda text: '{"iat": 1, ' + text[1:]),
    "a claim twice, the right one first": _written(str, lambda text: text[:-1] + ', "iat": 1}'),
    "a claim with half a surrogate pair": _written(str, lambda text: text[:-1] + ', "x": "\\ud800"}'),
    "claims that are no UTF-8": _written(str, lambda text: text[:-1] + ', "x": "\ud800"}'),
    "claims with NaN": _written(str, lambda text: text[:-1] + ', "x": NaN}'),
    "claims that are a list": _written(str, lambda _: "[]"),
    "claims that are nothing": _written(str, lambda _: "null"),
    "claims without end": _written(str, lambda text: text[:-1] + ', "x": ' + "[" * 1500 + "]" * 1500 + "}"),
    "a header that is a list": _written(lambda _: "[]"),
    "a header without end": _written(lambda text: text[:-1] + ', "x": ' + "[" * 1300),
    "no signature": _cut(lambda parts: f"{parts[0]}.{parts[1]}."),
    "two parts": _cut(lambda parts: f"{parts[0]}.{parts[1]}"),
    "five parts": _cut(lambda parts: ".".join((*parts, "e30", "e30"))),
    "padding": _cut(lambda parts: ".".join(f"{part}==" for part in parts)),
    "a gap": _cut(lambda parts: f"{parts[0]}.{parts[1]}.{parts[2][:9]} {parts[2][9:]}"),
    "another alphabet": _cut(lambda parts: f"{parts[0]}.{parts[1]}.{parts[2][:-4]}+/+/"),
    "JSON serialization": _cut(
        lambda parts: json.dumps({"protected": parts[0], "payload": parts[1], "signature": parts[2]})
    ),
}


TWO_READINGS = frozenset(name for name in ATTACKS if name.startswith(("claims", "a claim", "a header member")))
PASSED_OVER = {"DPoP proof": frozenset({"another key in jwk"})}
"""That is no forgery but somebody's own proof; which key tokens are bound to is what it says."""


@each_consumer
def test_no_forgery_is_taken(house: House, consumer: Consumer) -> None:
    """Of what we sign ourselves there is no text that can be read in two ways, so there such texts prove nothing."""
    taken, answers = [], {}
    for name, forge in ATTACKS.items():
        if name in PASSED_OVER.get(consumer.name, TWO_READINGS if consumer.is_ours else frozenset()):
            continue
        header, claims = consumer.honest(house)
        response = consumer.send(house, forge(header, claims, consumer))
        answers[name] = consumer.said(response)
        if consumer.takes(response):
            taken.append(name)
    assert taken == []
    assert {name: said for name, said in answers.items() if said != consumer.refusal} == {}


TYPES = ("JWT", "at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "client-authentication+jwt")
TYPES += ("authorization-grant+jwt", "userinfo+jwt", "token-introspection+jwt", "entity-statement+jwt", "JWS", "", "x")


@each_consumer
def test_only_its_own_type_is_taken(house: House, consumer: Consumer) -> None:
    """RFC 8725 §3.11: what was signed as one kind of token is not taken as another."""
    taken = set()
    for typ in (None, *TYPES, 7, ["JWT"], {}):
        header, claims = consumer.honest(house)
        own = {name: value for name, value in header.items() if name != "typ"}
        sent = own if typ is None else own | {"typ": typ}
        response = consumer.send(house, compact(sent, claims, consumer.key(), consumer.alg))
        if consumer.takes(response):
            assert isinstance(typ, str | None)
            taken.add(typ)
        else:
            assert consumer.said(response) == consumer.refusal, typ
    assert taken == consumer.types & {None, *TYPES}


NAMES = ["alg", "typ", "kid", "jwk", "jku", "x5u", "x5c", "x5t", "crit", "b64", "zip", "cty", "enc", "epk", "nonce"]
CLAIMS = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "htm", "htu", "ath", "nonce", "sid", "cnf"]
CLAIMS += ["scope", "act", "authorization_details", "claims", "resource", "request", "request_uri", "max_age", "x"]
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["ES256", "RS256", "none", "JWT", "at+jwt", "dpop+jwt", "portal", "signer", "\x00", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
few = hypothesis_settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@each_consumer
def test_whatever_the_header_says(house: House, consumer: Consumer) -> None:
    @few
    @given(st.dictionaries(st.sampled_from(NAMES), ODD, min_size=1, max_size=3))
    def attack(odd: Json) -> None:
        header, claims = consumer.honest(house)
        full = header | odd
        response = consumer.send(house, compact(full, claims, consumer.key(), consumer.alg))
        assert response.status_code < 500
        if consumer.takes(response):
            assert full["alg"] == consumer.alg
            assert full.get("typ") in consumer.types
            assert not {"crit", "b64", "zip"} & set(full)
            assert full.get("jwk") == header.get("jwk") or "jwk" not in header
        else:
            assert consumer.said(response) == consumer.refusal

    attack()


@pytest.mark.parametrize("consumer", [each for each in CONSUMERS if not each.is_ours], ids=lambda each: each.name)
def test_whatever_the_claims_say(house: House, consumer: Consumer) -> None:
    """By the right key: what is taken names who may have signed it, and us."""

    @few
    @given(st.dictionaries(st.sampled_from(CLAIMS), ODD, min_size=1, max_size=3))
    def attack(odd: Json) -> None:
        header, claims = consumer.honest(house)
        full = claims | odd
        response = consumer.send(house, compact(header, full, consumer.key(), consumer.alg))
        assert response.status_code < 500
        if consumer.takes(response):
            told = {"iss", "aud", "sub", "htm", "htu", "ath"} & set(claims)
            for name in told - ({"iss"} if consumer.name == "software statement" else set()):  # its key is trusted
                assert full[name] == claims[name] or (name == "aud" and settings().issuer in full[name]), name

    attack()


@each_consumer
def test_no_changed_character_passes(house: House, consumer: Consumer) -> None:
    """Nor any text at all."""

    @few
    @given(st.integers(0, 4000), st.characters(codec="ascii", categories=("L", "N", "P", "S")), st.text(max_size=40))
    def attack(place: int, character: str, text: str) -> None:
        honest = compact(*consumer.honest(house), consumer.key(), consumer.alg)
        place %= len(honest) - 1  # the spare bits of the last character carry nothing (RFC 4648 §3.5)
        changed = honest[:place] + character + honest[place + 1 :]
        for sent in {changed, text.encode("ascii", "ignore").decode()} - {honest}:
            if sent.strip() and sent.isprintable():
                response = consumer.send(house, sent)
                assert response.status_code < 500
                assert not consumer.takes(response)

    attack()
