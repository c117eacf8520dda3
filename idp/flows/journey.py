"""The authorization request that a page belongs to: `?interaction=` in its address, bound to this browser."""

from dataclasses import dataclass

from flask import request, url_for

from idp import web
from idp.clients import registry
from idp.clients.registry import RegisteredClient
from idp.rules.origins import origin_of
from idp.sessions import interactions
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.interactions import InteractionGone


@dataclass(frozen=True, slots=True)
class Journey:
    """A living interaction of this browser, what was asked in it, and the portal that asked."""

    interaction_id: str
    asked: AuthorizationRequest
    client: RegisteredClient
    as_unit: bool
    """Whether 「以单位身份登录」 was ticked at the sign-in (C1)."""

    @property
    def resume_url(self) -> str:
        """Where the journey goes on once its need is met."""
        return url_for("oidc.resume", interaction_id=self.interaction_id)


def current() -> Journey | None:
    """Return the journey of this page, or None where the address names none. Raises InteractionGone.

    The page may then send its form on to the portal: its redirect URI was checked when the request came in.
    """
    interaction_id = request.args.get("interaction")
    return find(interaction_id) if interaction_id else None


def demanded() -> Journey:
    """Return the journey of a page that is nothing without one. Raises InteractionGone."""
    belongs_to = current()
    if belongs_to is None:
        raise InteractionGone
    return belongs_to


def find(interaction_id: str) -> Journey:
    """Return the journey of an interaction of this browser, as `current` does. Raises InteractionGone."""
    interaction = interactions.find(interaction_id, web.browser_id())
    asked = interactions.asked(interaction)
    client = registry.find(asked.client_id)
    if client is None:
        raise InteractionGone
    if asked.redirect_uri:  # a device has none
        web.allow_form_target(origin_of(asked.redirect_uri))
    return Journey(interaction.id, asked, client, interaction.as_unit)
