"""The cards that the banks know, in memory."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox import web


class CardState(StrEnum):
    """What the bank says of a card; only a normal one can match."""

    NORMAL = "normal"
    NOT_SUPPORTED = "not_supported"
    BLOCKED = "blocked"


class Result(StrEnum):
    """The answer to a check."""

    MATCH = "match"
    MISMATCH = "mismatch"
    CARD_NOT_SUPPORTED = "card_not_supported"
    CARD_BLOCKED = "card_blocked"


@dataclass(frozen=True)
class Holder:
    """Who a card belongs to, or is said to belong to. Its fields stay out of any printed form."""

    name: str = field(repr=False)
    document_type: str = field(repr=False)
    document_number: str = field(repr=False)
    card_number: str = field(repr=False)
    phone: str = field(repr=False)

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> "Holder":
        """Read a holder; phones and document numbers are brought to one spelling. Raises web.Invalid."""
        return cls(
            name=web.text_field(body, "name"),
            document_type=web.text_field(body, "document_type", r"[a-z][a-z0-9_]{0,39}"),
            document_number=web.text_field(body, "document_number", r"[A-Za-z0-9]{5,30}").upper(),
            card_number=web.text_field(body, "card_number", r"[0-9]{12,19}"),
            phone=web.phone_digits(web.phone_field(body)),
        )


class Cards:
    """Cards by number, safe for parallel requests."""

    def __init__(self) -> None:
        self._cards: dict[str, tuple[Holder, CardState]] = {}
        self._lock = threading.Lock()

    def add(self, body: Mapping[str, object]) -> int:
        """Add a card, or replace the one of that number; return how many there are. Raises web.Invalid."""
        holder = Holder.from_json(body)
        state = web.optional_text_field(body, "state", "|".join(CardState)) or CardState.NORMAL
        with self._lock:
            self._cards[holder.card_number] = holder, CardState(state)
            return len(self._cards)

    def verify(self, claimed: Holder) -> Result:
        """Compare a claimed holder with the known one. Which of the four differs is never told, as in reality."""
        with self._lock:
            known = self._cards.get(claimed.card_number)
        if known is None:
            return Result.MISMATCH
        holder, state = known
        # A kind of card that takes no part shows in its number; that a card is blocked is for its holder to know.
        if state is CardState.NOT_SUPPORTED:
            return Result.CARD_NOT_SUPPORTED
        if holder != claimed:
            return Result.MISMATCH
        return Result.CARD_BLOCKED if state is CardState.BLOCKED else Result.MATCH
