"""DPoP (RFC 9449): tokens bound to a key that the client proves with every request.

The proof brings its own public key, and that is all that is taken from its header: what counts is that the key is
the one that the code, the refresh token or the access token is bound to. A proof works once.
"""

import binascii
import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, NoReturn

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key, import_key
from joserfc.jws import JWSRegistry

from idp import clock
from idp.clients.registry import RegisteredClient
from idp.features import Feature
from idp.oidc import dpop_nonces, replay, strict_json
from idp.oidc.client_requests import ClientRequest
from idp.oidc.errors import InvalidDpopProofError, UseDpopNonceError
from idp.oidc.strict_json import JsonRefused
from idp.oidc.target_uris import normalised
from idp.settings import settings
from idp.store import hot

HEADER, NONCE_HEADER = "DPoP", "DPoP-Nonce"
TYP = "dpop+jwt"
TOKEN_ENDPOINT, PAR_ENDPOINT, USERINFO_ENDPOINT = "/oidc/token", "/oidc/par", "/oidc/userinfo"
WINDOW = 60
"""Seconds by which `iat` may lie behind or ahead (§11.1)."""

KEY_MEMBERS = {
    "ES256": {"kty": "EC", "crv": "P-256", "x": None, "y": None},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519", "x": None},
    "Ed25519": {"kty": "OKP", "crv": "Ed25519", "x": None},
    "PS256": {"kty": "RSA", "n": None, "e": "AQAB"},
    "RS256": {"kty": "RSA", "n": None, "e": "AQAB"},
}
"""Algorithms, and what a key for each must be: members of RFC 7638 §3.2, with their value where only one is taken."""

ALGORITHMS = tuple(KEY_MEMBERS)
LONGEST, LONGEST_HEADER, LONGEST_JTI = 8192, 2048, 256
RSA_BITS = range(2048, 4097)

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_FORBIDDEN = frozenset({"b64", "crit", "jku", "x5c", "x5t", "x5t#S256", "x5u", "zip"})


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request proved: the thumbprint of its key (RFC 7638), None without a proof; headers for the answer."""

    jkt: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)


class _Algorithms(JWSRegistry):
    """joserfc's registry for exactly our algorithms; its own warns at `EdDSA`, which RFC 9864 renamed."""

    max_header_length = LONGEST_HEADER

    def get_alg(self, name: str) -> JWSAlgModel:
        """Return the algorithm, which was checked to be one of ours."""
        return self.algorithms[name]


_REGISTRY = _Algorithms(algorithms=ALGORITHMS, strict_check_header=False)


def is_required(client: RegisteredClient) -> bool:
    """Whether this client's tokens must be bound: it says so (§5.2), or its profile demands it (FAPI 2.0 §5.3.2.1)."""
    return client.protocol.dpop_bound_access_tokens or client.protocol.profile == "fapi2"


def at_token_endpoint(request: ClientRequest, client: RegisteredClient) -> Proof:
    """Return what a token request proves (§5). Raises InvalidDpopProofError, UseDpopNonceError."""
    proof = at_endpoint(request, client, TOKEN_ENDPOINT)
    if proof.jkt is None and is_required(client):
        _refuse("The tokens of this client are bound to a key: a DPoP proof is needed")
    return proof


def at_endpoint(request: ClientRequest, client: RegisteredClient, path: str) -> Proof:
    """Return what a client's POST to our endpoint `path` proves, if it brings a proof.

    Raises InvalidDpopProofError, UseDpopNonceError.
    """
    if request.dpop is None or not settings().is_on(Feature.DPOP):
        return Proof()
    return _check(request.dpop, _Use("POST", path), client)


def at_par_endpoint(request: ClientRequest, client: RegisteredClient) -> Proof:
    """Return what a pushed authorization request proves (§10.1): the code must then be bound to this key.

    A `dpop_jkt` beside the proof must name the same key. Raises InvalidDpopProofError, UseDpopNonceError.
    """
    proof = at_endpoint(request, client, PAR_ENDPOINT)
    if proof.jkt is not None and request.form.get("dpop_jkt", proof.jkt) != proof.jkt:
        _refuse("dpop_jkt names another key than the proof")
    return proof


def at_resource(proof: str, method: str, client: RegisteredClient, *, token: str, jkt: str) -> Proof:
    """Check the proof that comes with an access token to UserInfo (§7.1): for this token, by the key it is bound to.

    Raises InvalidDpopProofError, UseDpopNonceError.
    """
    return _check(proof, _Use(method, USERINFO_ENDPOINT, _hash(token.encode()), jkt), client)


@dataclass(frozen=True, slots=True)
class _Use:
    """What a proof must be for: method and path of the request; at a resource the token's hash and its key too."""

    method: str
    path: str
    ath: str | None = None
    jkt: str | None = None


def _check(proof: str, use: _Use, client: RegisteredClient) -> Proof:
    """Check a proof in the order of §4.3; the `jti` is used up when nothing else is wrong."""
    header = _header(proof)
    jwk = _public_key(header)
    claims = _claims(proof, _imported(jwk))
    _check_request(claims, use)
    if use.ath is not None and claims.get("ath") != use.ath:
        _refuse("ath is not the hash of the access token")
    jkt = thumbprint(jwk)
    if use.jkt not in {None, jkt}:
        _refuse("The key is not the one that the access token is bound to")
    headers = _check_nonce(claims, client)
    _use_up(claims, jkt)
    return Proof(jkt, headers)


def _header(proof: str) -> dict[str, Any]:
    """Return the header, checked (§4.3, 3–7). Two proofs in one request arrive here joined by a comma."""
    if len(proof) > LONGEST or not proof.isascii() or proof.count(".") != 2:  # noqa: PLR2004 - a JWS has three parts
        _refuse("Not one JWT")
    encoded = proof.partition(".")[0]
    if len(encoded) > LONGEST_HEADER:
        _refuse("The header is too long")
    try:
        header = strict_json.read(_decoded(encoded).decode())
    except (binascii.Error, ValueError, JsonRefused):
        _refuse("The header cannot be read")
    if not isinstance(header, dict) or header.get("typ") != TYP:
        _refuse("typ is not dpop+jwt")
    if not isinstance(header.get("alg"), str) or header["alg"] not in KEY_MEMBERS:
        _refuse("alg is not one of those supported")
    if not _FORBIDDEN.isdisjoint(header):
        _refuse("The header holds a parameter that a proof must not have")
    return header


def _public_key(header: dict[str, Any]) -> dict[str, str]:
    """Return the members of the key that make it up, and nothing else that stands with them."""
    jwk = header.get("jwk")
    if not isinstance(jwk, dict) or not _PRIVATE.isdisjoint(jwk):
        _refuse("jwk is not a public key")
    members = KEY_MEMBERS[header["alg"]]
    key = {name: value for name in members if isinstance(value := jwk.get(name), str)}
    if len(key) != len(members) or any(only not in {None, key[name]} for name, only in members.items()):
        _refuse("jwk is not a key for alg")
    return key


def _imported(jwk: dict[str, str]) -> Key:
    try:
        # Before joserfc looks at it: it warns of short keys where they are to be refused.
        if jwk["kty"] == "RSA" and int.from_bytes(_decoded(jwk["n"])).bit_length() not in RSA_BITS:
            _refuse("jwk has a size that is not supported")
        return import_key(dict(jwk))
    except (JoseError, ValueError):
        _refuse("jwk is not a key for alg")


def _claims(proof: str, key: Key) -> dict[str, Any]:
    try:
        content = jws.deserialize_compact(proof, key, registry=_REGISTRY).payload
        claims = strict_json.read((content or b"").decode())
    except (JoseError, ValueError, JsonRefused):
        _refuse("The signature is wrong or the content cannot be read")
    if not isinstance(claims, dict):
        _refuse("The content is not a JSON object")
    return claims


def _check_request(claims: dict[str, Any], use: _Use) -> None:
    """§4.3, 8–9 and 11: made for this method and address, just now."""
    jti, iat, htu = claims.get("jti"), claims.get("iat"), claims.get("htu")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI or not jti.isprintable():
        _refuse("jti is missing, too long, or not text")
    if claims.get("htm") != use.method:
        _refuse("htm is not the method of this request")
    if not isinstance(htu, str) or normalised(htu) != normalised(settings().issuer + use.path):
        _refuse("htu is not the address of this request")
    if isinstance(iat, bool) or not isinstance(iat, int | float) or not abs(clock.timestamp() - iat) <= WINDOW:
        _refuse("iat is missing, or too far from now")


def _check_nonce(claims: dict[str, Any], client: RegisteredClient) -> list[tuple[str, str]]:
    """§4.3, 10 and §8.2: return the next nonce for the client's next proof, when this one's is about to end.

    FAPI 2.0 clients always prove that they made the proof just now; others when the setting says so.
    """
    nonce = claims.get("nonce")
    if nonce is None:
        if settings().dpop_nonce_required or client.protocol.profile == "fapi2":
            raise UseDpopNonceError(dpop_nonces.current())
        return []
    if not isinstance(nonce, str) or not nonce.isascii() or not dpop_nonces.is_fresh(nonce):
        raise UseDpopNonceError(dpop_nonces.current())
    newest = dpop_nonces.current()
    return [] if nonce == newest else [(NONCE_HEADER, newest)]


def _use_up(claims: dict[str, Any], jkt: str) -> None:
    """§11.1: a proof works once; it is remembered until its `iat` is too old."""
    ends_at = (int(claims["iat"]) + WINDOW + 1) * 1000
    if not replay.claim(hot.reader(), replay.Kind.DPOP_PROOF, jkt, claims["jti"], expires_at=ends_at):
        _refuse("The proof was used before")


def thumbprint(members: dict[str, str]) -> str:
    """Return the RFC 7638 thumbprint of a key, given by exactly its required members."""
    return _hash(json.dumps(members, separators=(",", ":"), sort_keys=True).encode())


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hash(value: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(value).digest()).rstrip(b"=").decode()


def _refuse(why: str) -> NoReturn:
    raise InvalidDpopProofError(why)
