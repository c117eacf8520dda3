"""Face checks that are under way or were decided, in memory."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

SESSION_SECONDS = 300.0
KEPT_SECONDS = 3600.0


@dataclass(frozen=True)
class Session:
    """One check. `until` is when it ends undecided; a decided one keeps its state. `reference` names the decision."""

    session_id: str
    page_id: str
    name: str
    document_number: str
    purpose: str
    until: float
    state: str = "pending"
    reference: str | None = None


class Sessions:
    """Checks by id, safe for parallel requests: a check is replaced whole, under a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, document_number: str, purpose: str) -> Session:
        """Return a new check, pending. Its page has an id of its own: who opens it cannot ask for the state."""
        session = Session(
            session_id=secrets.token_urlsafe(18),
            page_id=secrets.token_urlsafe(18),
            name=name,
            document_number=document_number,
            purpose=purpose,
            until=self._clock() + SESSION_SECONDS,
        )
        with self._lock:
            forget = self._clock() - KEPT_SECONDS
            for gone in [known for known, each in self._sessions.items() if each.until <= forget]:
                del self._sessions[gone]
            self._sessions[session.session_id] = session
        return session

    def get(self, session_id: str) -> Session | None:
        """Return the check as it stands now, or None."""
        with self._lock:
            return self._aged(self._sessions.get(session_id))

    def of_page(self, page_id: str) -> Session | None:
        """Return the check that the page is for, or None."""
        with self._lock:
            return self._aged(next((each for each in self._sessions.values() if each.page_id == page_id), None))

    def decide(self, page_id: str, *, passed: bool) -> Session | None:
        """Decide the check of that page. Return it, or None if there is none that is pending: a decision stands."""
        session = self.of_page(page_id)
        with self._lock:
            now = self._aged(session and self._sessions.get(session.session_id))
            if now is None or now.state != "pending":
                return None
            decided = replace(now, state="passed" if passed else "failed", reference=secrets.token_hex(16))
            self._sessions[now.session_id] = decided
            return decided

    def _aged(self, session: Session | None) -> Session | None:
        if session is not None and session.state == "pending" and session.until <= self._clock():
            return replace(session, state="expired")
        return session
