"""Reading what an upstream says, strictly: canonical by our own rules, or refused whole.

What does not fit is the upstream's mistake or somebody's game, never half an identity. An error names the field.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from idp import clock
from idp.errors import DomainError
from idp.gateways.province.upstream import Party, UpstreamUnavailable
from idp.rules.documents import PersonDocument, UnitDocument, check_person_document, check_unit_document
from idp.rules.names import check_person_name, check_unit_name
from idp.rules.phones import check_phone

V = TypeVar("V")

_STABLE_ID = re.compile(r"[\x21-\x7e]{1,200}")
_WAY = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,60}")
_SECONDS_END = 100_000_000_000  # as seconds the year 5138, as milliseconds 1973
_COMPACT_TIME = re.compile(r"[0-9]{14}")


class Reader:
    """Reads the fields of one answer of `upstream`. Every method raises UpstreamUnavailable("bad_answer")."""

    def __init__(self, upstream: str, answer: Mapping[str, object]) -> None:
        self._upstream = upstream
        self._answer = answer

    def bad(self) -> UpstreamUnavailable:
        """Return the error for an answer that is none."""
        return UpstreamUnavailable(self._upstream, "bad_answer")

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self._answer.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.bad()
        return value

    def maybe(self, name: str) -> str | None:
        """Return a text; None where it is absent, null or empty."""
        value = self._answer.get(name)
        if value is None or value == "":
            return None
        return self.text(name)

    def stable_id(self, name: str) -> str:
        """Return the account's id over there."""
        value = self.text(name)
        if not _STABLE_ID.fullmatch(value):
            raise self.bad()
        return value

    def way(self, name: str) -> str | None:
        """Return how a level was reached, in the upstream's own word."""
        value = self.maybe(name)
        if value is not None and not _WAY.fullmatch(value):
            raise self.bad()
        return value

    def moment(self, name: str) -> datetime | None:
        """Return when a level was reached: ISO 8601 or 20260131235959 (Beijing time where it names no zone), or the
        seconds or milliseconds since 1970.
        """
        value = self._answer.get(name)
        if value is None or value == "":
            return None
        try:
            return self._moment(value)
        except (ValueError, OverflowError, OSError):
            raise self.bad() from None

    def _moment(self, value: object) -> datetime:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > _SECONDS_END else value, UTC)
        if not isinstance(value, str):
            raise self.bad()
        form = "%Y%m%d%H%M%S"
        read = datetime.strptime(value, form) if _COMPACT_TIME.fullmatch(value) else datetime.fromisoformat(value)  # noqa: DTZ007 - the zone follows
        return (read if read.tzinfo else read.replace(tzinfo=clock.CHINA)).astimezone(UTC)

    def person_name(self, name: str) -> str:
        """Return a person's name in its one spelling."""
        return self._by_rule(lambda: check_person_name(self.text(name)))

    def unit_name(self, name: str) -> str:
        """Return a unit's name in its one spelling."""
        return self._by_rule(lambda: check_unit_name(self.text(name)))

    def person_number(self, kind: PersonDocument, name: str) -> str:
        """Return a person's document number in canonical form."""
        return self._by_rule(lambda: check_person_document(kind, self.text(name), today=clock.today()))

    def unit_number(self, kind: UnitDocument, name: str) -> str:
        """Return a unit's number in canonical form."""
        return self._by_rule(lambda: check_unit_document(kind, self.text(name)))

    def phone(self, name: str) -> str | None:
        """Return a mobile number as E.164; None for a number that can get no SMS."""
        value = self.maybe(name)
        if value is None:
            return None
        try:
            return check_phone(value)
        except DomainError:
            return None

    def party(self, name: str, document_number: str) -> Party | None:
        """Return a natural person that a legal entity names by these two fields."""
        if self.maybe(name) is None:
            return None
        return Party(self.person_name(name), self.maybe(document_number))

    def _by_rule(self, rule: Callable[[], V]) -> V:
        try:
            return rule()
        except DomainError:
            raise self.bad() from None
