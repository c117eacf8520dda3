"""What is said to an authenticator, and judging what it answers (WebAuthn Level 3 §7.1, §7.2), by `webauthn`.

The relying party's id is the host of the issuer, so a passkey answers no other site. The user is always verified by
the authenticator (PIN, finger, face), which is what makes a passkey two kinds of factor in one step.
"""

import ipaddress
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp.factors.challenges import LIFETIME
from idp.factors.errors import PasskeyRefused
from idp.rules.origins import origin_of
from idp.settings import settings

T = TypeVar("T")
TIMEOUT_MS = int(LIFETIME.total_seconds() * 1000)
KNOWN_TRANSPORTS = frozenset({"usb", "nfc", "ble", "internal", "cable", "hybrid", "smart-card"})


@dataclass(frozen=True, slots=True)
class Key:
    """A passkey as it is stored: ids in base64url, the public key as COSE_Key."""

    credential_id: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser sent, read no further than is needed to know what it answers and with which passkey.

    `user_handle` is the person whom the passkey is for, as the authenticator says; not every one says it.
    """

    content: dict[str, Any]
    challenge: bytes
    credential_id: str
    user_handle: str | None

    @classmethod
    def read(cls, sent: str) -> "Answer":
        """Return the answer in the JSON that `PublicKeyCredential.toJSON()` writes. Raises PasskeyRefused."""

        def read() -> "Answer":
            content = json.loads(sent)
            client_data = parse_client_data_json(base64url_to_bytes(content["response"]["clientDataJSON"]))
            handle = content["response"].get("userHandle")
            return cls(
                content,
                client_data.challenge,
                # Written anew: of one id there is one spelling.
                bytes_to_base64url(base64url_to_bytes(content["id"])),
                base64url_to_bytes(handle).decode() if handle else None,
            )

        return _refusing(read)


def is_possible() -> bool:
    """Whether passkeys can be bound to this provider: to its host's name, never to an IP address (WebAuthn §5.1.2)."""
    try:
        ipaddress.ip_address(_rp_id())
    except ValueError:
        return True
    return False


def creation_options(challenge: bytes, *, site: str, login_name: str, person_id: str, known: Sequence[str]) -> str:
    """Return what `navigator.credentials.create` takes, as JSON. `known` are the credential ids the person has."""
    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=_rp_id(),
            rp_name=site,
            user_id=person_id.encode(),
            user_name=login_name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known),
        )
    )


def request_options(challenge: bytes, known: Sequence[str] = ()) -> str:
    """Return what `navigator.credentials.get` takes, as JSON; without `known` ids the person chooses the account."""
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=_rp_id(),
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=_descriptors(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def verify_creation(answer: Answer) -> Key:
    """Return the new passkey of an answer whose challenge was claimed. Raises PasskeyRefused (§7.1)."""
    verified = _refusing(
        lambda: webauthn.verify_registration_response(
            credential=answer.content,
            expected_challenge=answer.challenge,
            expected_rp_id=_rp_id(),
            expected_origin=origin_of(settings().issuer),
            require_user_verification=True,
        )
    )
    return Key(bytes_to_base64url(verified.credential_id), bytes(verified.credential_public_key), verified.sign_count)


def verify_request(answer: Answer, key: Key) -> int:
    """Return the sign count of an answer whose challenge was claimed, by `key`. Raises PasskeyRefused (§7.2)."""
    verified = _refusing(
        lambda: webauthn.verify_authentication_response(
            credential=answer.content,
            expected_challenge=answer.challenge,
            expected_rp_id=_rp_id(),
            expected_origin=origin_of(settings().issuer),
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    )
    return verified.new_sign_count


def transports_in(answer: Answer) -> list[str]:
    """Return by which ways the browser says that the authenticator is reached; what it made up is left out."""
    stated = answer.content["response"].get("transports")
    return sorted(KNOWN_TRANSPORTS.intersection(map(str, stated))) if isinstance(stated, list) else []


def _rp_id() -> str:
    return urlsplit(settings().issuer).hostname or ""


def _descriptors(credential_ids: Sequence[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in credential_ids]


def _refusing(judge: Callable[[], T]) -> T:
    """Call `judge`; whatever it cannot read or does not believe is one refusal: what was sent may be anything."""
    try:
        return judge()
    except Exception as error:
        raise PasskeyRefused from error
