"""Writing the audit: one entry, in the transaction of what it reports."""

from dataclasses import dataclass
from typing import Any

from flask import g, has_request_context, request
from pydantic_core import to_json
from sqlalchemy.orm import Session

from idp import clock
from idp.store import hot

INSERT_ENTRY = hot.Statement(
    "INSERT INTO audit_entry (at, action, actor_id, subject_id, unit_id, client_id, address, outcome, details) "
    "VALUES (:at, :action, :actor_id, :subject_id, :unit_id, :client_id, :address, :outcome, :details)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened. `actor_id` did `action` to `subject_id`, for `unit_id`, through `client_id`.

    `details` is small JSON without personal data in clear: codes, counts, ids, references.
    """

    action: str
    actor_id: str | None = None
    subject_id: str | None = None
    unit_id: str | None = None
    client_id: str | None = None
    outcome: str = "ok"
    details: dict[str, Any] | None = None


def record(on: Session | hot.Executor, entry: Entry) -> None:
    """Append `entry`, with the time and the caller's address (`g.caller_address` outside of a request of Flask's)."""
    executor = hot.within(on) if isinstance(on, Session) else on
    executor.run(INSERT_ENTRY, **columns(entry))


def columns(entry: Entry) -> dict[str, Any]:
    """Return the values of `INSERT_ENTRY`: for who writes it as a part of a larger statement."""
    return {
        "at": clock.millis(),
        "action": entry.action,
        "actor_id": entry.actor_id,
        "subject_id": entry.subject_id,
        "unit_id": entry.unit_id,
        "client_id": entry.client_id,
        "address": request.remote_addr if has_request_context() else g.get("caller_address"),
        "outcome": entry.outcome,
        "details": to_json(dict(sorted((entry.details or {}).items()))).decode(),
    }
