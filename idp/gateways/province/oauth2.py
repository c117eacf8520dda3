"""The province's own protocol (DESIGN 6): like OAuth 2.0, without state, PKCE and ID token.

Our state rides in the query of our own redirect address, which the province gives back as it got it. The code comes
by the browser, and everything else by calls of ours: who signed in is what the province tells us over its own TLS.
Its protocol wants the client's secret in an address, so addresses of these calls are never logged here.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from idp import clock
from idp.errors import DomainError
from idp.gateways.errors import GatewayUnavailable
from idp.gateways.json_client import JsonObject, JsonTransport, checked_address
from idp.gateways.province.reading import Reader
from idp.gateways.province.upstream import (
    SubjectKind,
    TripSecrets,
    UpstreamAccountDisabled,
    UpstreamRefused,
    UpstreamUnavailable,
    Vouched,
)
from idp.rules.documents import PersonDocument, UnitDocument, check_person_document
from idp.rules.levels import TrustLevel, parse_trust_level

_AUTHORIZE = "/sso/connect/page/oauth2/authorize"
_TOKEN = "/sso/oauth2/access_token"  # noqa: S105 - a path
_USER = "/sso/oauth2/tokeninfo"

_PERSON, _LEGAL = "1", "2"
_RESIDENT_ID, _PASSPORT, _OTHER = "10", "20", "40"
_UNIT_DOCUMENTS = {"49": UnitDocument.USCC, "50": UnitDocument.ORG_CODE}
_NAMED = {_RESIDENT_ID: PersonDocument.RESIDENT_ID, _PASSPORT: PersonDocument.PASSPORT}
_NOT_REAL = frozenset({"0", "false", "n", "no"})
_DISABLED, _OUR_CREDENTIALS = "40301", "40001"
_DONE = frozenset({None, 0, "0", ""})


class ProvinceOAuth2:
    """`Upstream` by the province's own protocol at `base_url`. Raises ValueError for an unusable address."""

    def __init__(self, name: str, base_url: str, client_id: str, client_secret: str, timeout: float = 3.0) -> None:
        self.name = name
        self._base_url = checked_address(name, base_url)
        self._client_id = client_id
        self._client_secret = client_secret
        self._transport = JsonTransport(name, timeout)

    def authorize_url(self, secrets: TripSecrets, redirect_uri: str) -> str:
        """Return the province's login page, with our state inside of our own address."""
        query = {
            "client_id": self._client_id,
            "service": "initService",
            "scope": "all",
            "response_type": "code",
            "redirect_uri": _with_state(redirect_uri, secrets),
        }
        return f"{self._base_url}{_AUTHORIZE}?{urlencode(query)}"

    def fetch(self, code: str, secrets: TripSecrets, redirect_uri: str) -> Vouched:
        """Redeem the code and ask whose it is, as `Upstream.fetch` says."""
        token = self._get(
            _TOKEN,
            {
                "client_id": self._client_id,
                "client_secret": self._client_secret,
                "code": code,
                "scope": "all",
                "grant_type": "authorization_code",
                "redirect_uri": _with_state(redirect_uri, secrets),
            },
        )
        access_token = Reader(self.name, token).text("access_token")
        answer = self._get(_USER, {"access_token": access_token})
        user = answer.get("userobj")
        if not isinstance(user, dict):
            raise UpstreamUnavailable(self.name, "bad_answer")
        return _vouched(self.name, user)

    def _get(self, path: str, query: Mapping[str, str]) -> JsonObject:
        try:
            _, answer = self._transport.exchange("GET", self._base_url + path, params=query)
        except GatewayUnavailable as error:
            raise UpstreamUnavailable(self.name, error.reason) from None
        if answer is None:
            raise UpstreamUnavailable(self.name, "bad_answer")
        failed = answer.get("errcode")
        if isinstance(failed, str | int | None) and failed in _DONE:
            return answer
        if str(failed) == _DISABLED:
            raise UpstreamAccountDisabled(self.name, "account_disabled")
        if str(failed) == _OUR_CREDENTIALS:
            raise UpstreamUnavailable(self.name, "credentials")
        raise UpstreamRefused(self.name, "errcode")


def _with_state(redirect_uri: str, secrets: TripSecrets) -> str:
    return f"{redirect_uri}?{urlencode({'state': secrets.state})}"


def _vouched(upstream: str, user: Mapping[str, object]) -> Vouched:
    """Read a `userobj`. Raises UpstreamUnavailable("bad_answer")."""
    reader = Reader(upstream, user)
    kind = str(user.get("usertype"))
    if kind == _PERSON:
        return _person(upstream, reader, user)
    if kind == _LEGAL:
        return _unit(upstream, reader, user)
    raise reader.bad()


def _person(upstream: str, reader: Reader, user: Mapping[str, object]) -> Vouched:
    document = _person_document(reader, str(user.get("idcardtype")))
    return Vouched(
        upstream=upstream,
        stable_id=reader.stable_id("useridcode"),
        kind=SubjectKind.PERSON,
        name=reader.person_name("cn"),
        document_type=document,
        document_number=reader.person_number(document, "idcardnumber"),
        phone=reader.phone("telephonenumber"),
        trust_level=_level(user),
        trust_level_way=reader.way("creditable_level_of_account_way"),
        trust_level_at=reader.moment("creditable_level_of_account_time"),
    )


def _unit(upstream: str, reader: Reader, user: Mapping[str, object]) -> Vouched:
    document = _UNIT_DOCUMENTS.get(str(user.get("idcardtype")))
    if document is None:
        raise reader.bad()
    return Vouched(
        upstream=upstream,
        stable_id=reader.stable_id("useridcode"),
        kind=SubjectKind.UNIT,
        name=reader.unit_name("cn"),
        document_type=document,
        document_number=reader.unit_number(document, "idcardnumber"),
        phone=reader.phone("telephonenumber"),
        trust_level=_level(user),
        trust_level_way=reader.way("creditable_level_of_account_way"),
        trust_level_at=reader.moment("creditable_level_of_account_time"),
        legal_representative=reader.party("legal_person", "legal_code"),
        contact=reader.party("link_person_name", "link_person_code"),
    )


def _person_document(reader: Reader, code: str) -> PersonDocument:
    """Return the kind of document. The province lumps permits together as 40: the one kind that fits, or none."""
    if code in _NAMED:
        return _NAMED[code]
    if code != _OTHER:
        raise reader.bad()
    number = reader.text("idcardnumber")
    fitting = [kind for kind in PersonDocument if kind not in _NAMED.values() and _fits(kind, number)]
    if len(fitting) != 1:
        raise reader.bad()
    return fitting[0]


def _fits(kind: PersonDocument, number: str) -> bool:
    try:
        check_person_document(kind, number, today=clock.today())
    except DomainError:
        return False
    return True


def _level(user: Mapping[str, object]) -> TrustLevel:
    """Return the level; whoever the province calls not real-named has none, whatever else it says."""
    if str(user.get("isreal", "")).lower() in _NOT_REAL:
        return TrustLevel.L0
    return parse_trust_level(user.get("creditable_level_of_account"))
