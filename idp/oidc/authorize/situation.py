"""Everything that the needs look at: what was asked, by which client, who is signed in, what was answered so far."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from idp import clock
from idp.clients import consents
from idp.clients.registry import RegisteredClient
from idp.delegation import context_class, for_whom, granting, representing
from idp.delegation.acting import Refused
from idp.delegation.for_whom import Answers
from idp.delegation.granting import Granted
from idp.delegation.representing import Passed
from idp.oidc.authorize.respond import ReplyTo
from idp.rules.levels import Acr, Amr
from idp.sessions import interactions
from idp.sessions.authorization_request import AuthorizationRequest
from idp.sessions.browser_sessions import SignedIn
from idp.sessions.interactions import OpenInteraction
from idp.sessions.levels import acr_of_session
from idp.store import hot
from idp.store.db import db


@dataclass(frozen=True, slots=True)
class Progress:
    """What was answered in this interaction so far. `begun_at` is in milliseconds; without an id nothing is stored."""

    interaction_id: str | None = None
    begun_at: int = field(default_factory=clock.millis)
    answers: Answers = field(default_factory=Answers)
    consented: bool = False
    level_offered: bool = False
    refusal: str | None = None

    @classmethod
    def of(cls, interaction: OpenInteraction) -> "Progress":
        """Return what the row of an interaction says."""
        return cls(
            interaction.id,
            interaction.created_at,
            Answers(interaction.acting_for, interaction.as_unit),
            interaction.consented,
            interaction.level_offered,
            interaction.refusal,
        )


@dataclass(frozen=True)
class Situation:
    """One moment of an authorization request. What is looked up for it is looked up once."""

    request: AuthorizationRequest
    client: RegisteredClient
    who: SignedIn | None
    progress: Progress

    @property
    def reply_to(self) -> ReplyTo:
        """Where the answer goes."""
        return ReplyTo(self.request.redirect_uri, self.request.response_mode, self.request.state)

    @property
    def is_silent(self) -> bool:
        """Whether no page may be shown (OpenID Connect Core §3.1.2.1, prompt=none)."""
        return "none" in self.request.prompt

    @property
    def subject(self) -> SignedIn:
        """Who is signed in; asked only after the need to sign in is met."""
        if self.who is None:
            msg = "nobody is signed in"
            raise RuntimeError(msg)
        return self.who

    @cached_property
    def represented(self) -> Passed | None:
        """The face check that a unit's own account passed in this request and that still opens its business (U18)."""
        if self.progress.interaction_id is None or self.subject.is_person:
            return None
        unit_id = self.subject.subject_id
        check = representing.passed(hot.reader(), self.progress.interaction_id, unit_id)
        minimum = granting.minimum_of(self.client)
        if check is None or representing.obstacle(hot.reader(), unit_id, check.business, minimum) is not None:
            return None
        return check

    @property
    def methods(self) -> tuple[str, ...]:
        """How the subject proved who they are: in the session, and by a face for this request alone."""
        used = self.subject.amr
        return used if self.represented is None else (*used, Amr.FACE)

    @property
    def session_level(self) -> Acr:
        """The `acr` that the session has, a face check of this request included."""
        return acr_of_session(replace(self.subject, amr=self.methods))

    @property
    def level(self) -> Acr:
        """The `acr` that the tokens will state; every decision about a business rests on it."""
        return context_class.stated(self.request, self.session_level)

    @cached_property
    def acting_for(self) -> str | None:
        """A unit's id, MYSELF, or None: it must be asked for."""
        return for_whom.resolve(db.session(), self.client, self.request, self.subject, self.progress.answers)

    @property
    def unit_id(self) -> str | None:
        """The unit acted for, once that is settled."""
        return None if self.acting_for in {None, interactions.MYSELF} else self.acting_for

    @cached_property
    def consented(self) -> frozenset[str]:
        """The scopes that this person has let this client have, for themselves or for this unit."""
        return consents.given(
            hot.reader(),
            subject_id=self.subject.subject_id,
            client_id=self.client.client_id,
            unit_id=self.unit_id,
        )

    def granted(self, on: hot.Executor) -> Granted | Refused:
        """Return what the client would get now (C3)."""
        if not self.subject.is_person:
            unit_id = self.subject.subject_id
            return representing.granted(on, self.client, self.request, unit_id, self.represented)
        if self.unit_id is None:
            return granting.for_oneself(self.client, self.request)
        return granting.for_unit(
            on,
            self.client,
            self.request,
            person_id=self.subject.subject_id,
            unit_id=self.unit_id,
            level=self.level,
        )
