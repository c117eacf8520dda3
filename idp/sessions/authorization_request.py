"""The authorization request as a value: frozen once parsed, stored with the interaction, never parsed again."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class UnitDelegation:
    """What the client asks to do for a unit (RFC 9396 type `unit_delegation`, DESIGN 4).

    `actions` are businesses; `identifier` is a unit's id when a certain unit is asked for; with
    `representation_required` acting for oneself is no answer.
    """

    actions: tuple[str, ...] = ()
    identifier: str | None = None
    representation_required: bool = False


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """RFC 6749 §4.1.1 and OpenID Connect Core §3.1.2.1, plus `org_hint` and `unit_delegation` of our own.

    One of a device (RFC 8628 §3.1) names its `device`, the id of a `DeviceCode`, and has no redirect URI.

    Space-separated parameters are tuples in the order they came, without repetitions; `max_age` is in seconds.
    `essential_acr` and `claims` come from the `claims` parameter; `id_token_hint_…` is what a verified hint says.
    """

    client_id: str
    redirect_uri: str
    response_type: str
    response_mode: str
    scope: tuple[str, ...]
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    essential_acr: tuple[str, ...] = ()
    login_hint: str | None = None
    id_token_hint_sub: str | None = None
    id_token_hint_sid: str | None = None
    ui_locales: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    dpop_jkt: str | None = None
    pushed: str | None = None
    org_hint: str | None = None
    device: str | None = None
    unit_delegation: UnitDelegation | None = None
    claims: dict[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        """Everything asked for, as scope values: `scope`, and the businesses that only `unit_delegation` names."""
        actions = self.unit_delegation.actions if self.unit_delegation else ()
        return tuple(dict.fromkeys((*self.scope, *actions)))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON for the interaction's row."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Return the request that `to_json` wrote."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        delegation = values.get("unit_delegation")
        if delegation is not None:
            values["unit_delegation"] = UnitDelegation(**{**delegation, "actions": tuple(delegation["actions"])})
        return cls(**values)
