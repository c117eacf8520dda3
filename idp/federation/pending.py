"""What an upstream vouched for, kept while the person answers a page: encrypted, bound to the browser (a draft)."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from idp.federation.trips import Destination
from idp.gateways.province import Party, SubjectKind, Vouched
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.levels import TrustLevel
from idp.sessions import drafts

FORM = "federation"


@dataclass(frozen=True, slots=True)
class Pending:
    """An arrival that waits. `agent_id` is who registers the unit (F4), once they are known."""

    vouched: Vouched
    destination: Destination
    agent_id: str | None = None


def begin(browser_id: str, vouched: Vouched, destination: Destination) -> str:
    """Keep an arrival and return its draft's id."""
    return drafts.begin(FORM, browser_id, _to_json(Pending(vouched, destination)))


def read(browser_id: str, draft_id: str) -> Pending:
    """Return the arrival. Raises DraftGone."""
    kept = drafts.read(FORM, browser_id, draft_id)
    return Pending(_vouched(kept["vouched"]), Destination(**kept["destination"]), kept["agent_id"])


def note_agent(browser_id: str, draft_id: str, pending: Pending, agent_id: str) -> None:
    """Keep who registers the unit. Raises DraftGone."""
    drafts.keep(FORM, browser_id, draft_id, _to_json(Pending(pending.vouched, pending.destination, agent_id)))


def _to_json(pending: Pending) -> dict[str, Any]:
    vouched = asdict(pending.vouched)
    at = pending.vouched.trust_level_at
    vouched["trust_level"] = int(pending.vouched.trust_level)
    vouched["trust_level_at"] = None if at is None else at.isoformat()
    return {"vouched": vouched, "destination": asdict(pending.destination), "agent_id": pending.agent_id}


def _vouched(kept: dict[str, Any]) -> Vouched:
    kind = SubjectKind(kept["kind"])
    documents: type[PersonDocument | UnitDocument] = PersonDocument if kind is SubjectKind.PERSON else UnitDocument
    at = kept["trust_level_at"]
    return Vouched(
        **{
            **kept,
            "kind": kind,
            "document_type": documents(kept["document_type"]),
            "trust_level": TrustLevel(kept["trust_level"]),
            "trust_level_at": None if at is None else datetime.fromisoformat(at),
            "legal_representative": _party(kept["legal_representative"]),
            "contact": _party(kept["contact"]),
        }
    )


def _party(kept: dict[str, Any] | None) -> Party | None:
    return None if kept is None else Party(**kept)
