"""An OpenID provider as upstream: code flow with state, nonce and PKCE, and an ID token checked claim by claim.

The issuer's metadata and keys are kept for a while. A `kid` that the copy lacks makes us look again, `LOOKS` times in
`LOOKS_IN` seconds at most, however many strange tokens come (OpenID Connect Core §10.1.1).
"""

import json
import threading
import warnings
from base64 import urlsafe_b64decode
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey, import_key

from idp import clock
from idp.gateways.errors import GatewayUnavailable
from idp.gateways.json_client import JsonObject, JsonTransport, checked_address
from idp.gateways.province.reading import Reader
from idp.gateways.province.upstream import (
    Party,
    SubjectKind,
    TripSecrets,
    UpstreamAccountDisabled,
    UpstreamRefused,
    UpstreamUnavailable,
    Vouched,
)
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.levels import parse_trust_level

SCOPE = "openid profile"
FRESH_SECONDS = 900
LOOKS, LOOKS_IN = 3, 60
SKEW = 30
LONGEST_AGE = 600
_MAX_KEYS = 32
_KEY_OF = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC"}
_CHANGES_READING = frozenset({"b64", "crit", "zip"})
_LAST = 1 << 40
_SUBJECT_KINDS = {"person": SubjectKind.PERSON, "legal": SubjectKind.UNIT}

Key = RSAKey | ECKey


@dataclass(frozen=True, slots=True)
class _Metadata:
    """Where the issuer's endpoints are. `userinfo` is empty where it has none."""

    authorization: str
    token: str
    jwks: str
    userinfo: str
    read_at: float


@dataclass(frozen=True, slots=True)
class _Keys:
    by_kid: Mapping[str, Key] = field(default_factory=dict)
    read_at: float = float("-inf")


class GenericOidc:
    """`Upstream` by OpenID Connect at `issuer`. Raises ValueError for an address that cannot be used."""

    def __init__(self, name: str, issuer: str, client_id: str, client_secret: str, timeout: float = 3.0) -> None:
        self.name = name
        self._issuer = issuer
        self._base = checked_address(name, issuer)
        self._client = (client_id, client_secret)
        self._transport = JsonTransport(name, timeout)
        self._metadata: _Metadata | None = None
        self._keys = _Keys()
        self._looking = threading.Lock()
        self._looks: deque[float] = deque(maxlen=LOOKS)

    def authorize_url(self, secrets: TripSecrets, redirect_uri: str) -> str:
        """Return the issuer's authorization endpoint with our request (Core §3.1.2.1, RFC 7636 §4.3)."""
        query = {
            "response_type": "code",
            "scope": SCOPE,
            "client_id": self._client[0],
            "redirect_uri": redirect_uri,
            "state": secrets.state,
            "nonce": secrets.nonce,
            "code_challenge": create_s256_code_challenge(secrets.code_verifier),  # type: ignore[no-untyped-call]
            "code_challenge_method": "S256",
        }
        endpoint = self._discover().authorization
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def fetch(self, code: str, secrets: TripSecrets, redirect_uri: str) -> Vouched:
        """Redeem the code, check the ID token, and read whom it vouches for, as `Upstream.fetch` says."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": secrets.code_verifier,
        }
        answer = self._ask("POST", self._discover().token, data=form, auth=self._client)
        reader = Reader(self.name, answer)
        claims = self._checked(reader.text("id_token"), secrets)
        if "document_number" not in claims:
            claims = {**claims, **self._userinfo(reader.text("access_token"), claims)}
        return _vouched(self.name, claims)

    def _discover(self) -> _Metadata:
        """Return the issuer's metadata (Discovery §4); the copy serves a while."""
        known = self._metadata
        if known is not None and monotonic() - known.read_at < FRESH_SECONDS:
            return known
        answer = self._ask("GET", self._base + "/.well-known/openid-configuration")
        if answer.get("issuer") != self._issuer:
            raise UpstreamUnavailable(self.name, "bad_answer")  # Discovery §4.3: MUST be exactly the one asked
        reader = Reader(self.name, answer)
        userinfo = reader.maybe("userinfo_endpoint")
        found = _Metadata(
            authorization=self._endpoint(reader.text("authorization_endpoint")),
            token=self._endpoint(reader.text("token_endpoint")),
            jwks=self._endpoint(reader.text("jwks_uri")),
            userinfo=self._endpoint(userinfo) if userinfo else "",
            read_at=monotonic(),
        )
        self._metadata = found
        return found

    def _endpoint(self, address: str) -> str:
        """Return an endpoint, which is no less guarded than the issuer's own address."""
        try:
            checked_address(self.name, address.partition("?")[0])
        except ValueError:
            raise UpstreamUnavailable(self.name, "bad_answer") from None
        return address

    def _ask(self, method: str, url: str, **sent: Any) -> JsonObject:
        try:
            status, answer = self._transport.exchange(method, url, **sent)
        except GatewayUnavailable as error:
            raise UpstreamUnavailable(self.name, error.reason) from None
        if answer is None:
            raise UpstreamUnavailable(self.name, "bad_answer")
        if status == HTTPStatus.OK:
            return answer
        if "account disabled" in (answer.get("error_description"), answer.get("error")):
            raise UpstreamAccountDisabled(self.name, "account_disabled")
        raise UpstreamRefused(self.name, "token_refused")

    def _userinfo(self, access_token: str, claims: Mapping[str, Any]) -> JsonObject:
        """Return the claims of UserInfo; Core §5.3.2: its `sub` MUST be that of the ID token."""
        address = self._discover().userinfo
        if not address:
            raise UpstreamUnavailable(self.name, "bad_answer")
        answer = self._ask("GET", address, headers={"Authorization": f"Bearer {access_token}"})
        if answer.get("sub") != claims["sub"]:
            raise UpstreamRefused(self.name, "sub_mismatch")
        return answer

    def _checked(self, token: str, secrets: TripSecrets) -> dict[str, Any]:
        """Return the claims of an ID token that is for us and for this sign-in. Raises UpstreamRefused."""
        claims = self._signed(token)
        now = clock.timestamp()
        if claims.get("iss") != self._issuer:
            raise UpstreamRefused(self.name, "wrong_issuer")
        client_id = self._client[0]
        if claims.get("aud") not in (client_id, [client_id]) or claims.get("azp") not in (None, client_id):
            raise UpstreamRefused(self.name, "wrong_audience")
        if not isinstance(claims.get("sub"), str) or claims.get("nonce") != secrets.nonce:
            raise UpstreamRefused(self.name, "wrong_nonce")
        expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
        if expires is None or expires <= now - SKEW:
            raise UpstreamRefused(self.name, "expired")
        if issued is None or not now - LONGEST_AGE <= issued <= now + SKEW:
            raise UpstreamRefused(self.name, "wrong_time")
        return claims

    def _signed(self, token: str) -> dict[str, Any]:
        """Return the claims under a signature of the issuer. Raises UpstreamRefused."""
        header = self._header(token)
        alg, kid = header.get("alg"), header.get("kid")
        if not isinstance(alg, str) or alg not in _KEY_OF or not isinstance(kid, str | None):
            raise UpstreamRefused(self.name, "wrong_algorithm")
        key = self._key(_KEY_OF[alg], kid)
        if key is None:
            raise UpstreamRefused(self.name, "unknown_key")
        try:
            return dict(jwt.decode(token, key, algorithms=[alg]).claims)
        except (JoseError, ValueError):
            raise UpstreamRefused(self.name, "wrong_signature") from None

    def _header(self, token: str) -> dict[str, Any]:
        """Return the header of a compact JWS, before anything is done as it says (RFC 8725 §3.1)."""
        encoded, dots = token.partition(".")[0], token.count(".")
        try:
            header = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        except (ValueError, RecursionError):
            header = None
        if not isinstance(header, dict) or dots != 2 or not _CHANGES_READING.isdisjoint(header):  # noqa: PLR2004
            raise UpstreamRefused(self.name, "not_a_jwt")
        return header

    def _key(self, kind: str, kid: str | None) -> Key | None:
        """Return the issuer's key; without a `kid` it must be its only one of the kind (Core §10.1)."""
        found = _choose(self._keys.by_kid, kind, kid)
        if found is not None and monotonic() - self._keys.read_at < FRESH_SECONDS:
            return found
        with self._looking:
            if self._may_look():
                self._keys = self._read_keys()
        return _choose(self._keys.by_kid, kind, kid)

    def _may_look(self) -> bool:
        now = monotonic()
        if len(self._looks) == LOOKS and now - self._looks[0] < LOOKS_IN:
            return False
        self._looks.append(now)
        return True

    def _read_keys(self) -> _Keys:
        members = self._ask("GET", self._discover().jwks).get("keys")
        if not isinstance(members, list):
            raise UpstreamUnavailable(self.name, "bad_answer")
        found = ((str(member.get("kid", "")), _import(member)) for member in members[:_MAX_KEYS] if _signs(member))
        return _Keys({kid: key for kid, key in found if key is not None}, monotonic())


def _signs(member: object) -> bool:
    return isinstance(member, dict) and member.get("use") in (None, "sig")


def _import(member: Mapping[str, Any]) -> Key | None:
    """Return a public key that is strong enough; None for any other, which is passed over."""
    numbers = {name: member[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in member}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            key = import_key(numbers)
    except (JoseError, ValueError, TypeError, SecurityWarning):
        return None
    return key if isinstance(key, RSAKey | ECKey) else None


def _choose(by_kid: Mapping[str, Key], kind: str, kid: str | None) -> Key | None:
    if kid is not None:
        key = by_kid.get(kid)
        return key if key is not None and key.key_type == kind else None
    fitting = [key for key in by_kid.values() if key.key_type == kind]
    return fitting[0] if len(fitting) == 1 else None


def _moment(claims: Mapping[str, Any], name: str) -> int | None:
    value = claims.get(name)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value < _LAST else None


def _vouched(upstream: str, claims: Mapping[str, object]) -> Vouched:
    """Read the claims of an account. Raises UpstreamUnavailable("bad_answer")."""
    reader = Reader(upstream, claims)
    kind = _SUBJECT_KINDS.get(reader.text("user_type"))
    if kind is None:
        raise reader.bad()
    is_person = kind is SubjectKind.PERSON
    document, number = (_of_person if is_person else _of_unit)(reader)
    return Vouched(
        upstream=upstream,
        stable_id=reader.stable_id("sub"),
        kind=kind,
        name=reader.person_name("name") if is_person else reader.unit_name("name"),
        document_type=document,
        document_number=number,
        phone=reader.phone("phone_number"),
        trust_level=parse_trust_level(claims.get("trust_level")),
        trust_level_way=reader.way("trust_level_way"),
        trust_level_at=reader.moment("trust_level_at"),
        legal_representative=_party(upstream, claims, "legal_representative"),
        contact=_party(upstream, claims, "contact"),
    )


def _of_person(reader: Reader) -> tuple[PersonDocument | UnitDocument, str]:
    name = reader.text("document_type")
    if name not in set(PersonDocument):
        raise reader.bad()
    kind = PersonDocument(name)
    return kind, reader.person_number(kind, "document_number")


def _of_unit(reader: Reader) -> tuple[PersonDocument | UnitDocument, str]:
    name = reader.text("document_type")
    if name not in set(UnitDocument):
        raise reader.bad()
    kind = UnitDocument(name)
    return kind, reader.unit_number(kind, "document_number")


def _party(upstream: str, claims: Mapping[str, object], name: str) -> Party | None:
    given = claims.get(name)
    if given is None:
        return None
    if not isinstance(given, dict):
        raise UpstreamUnavailable(upstream, "bad_answer")
    return Reader(upstream, given).party("name", "document_number")
