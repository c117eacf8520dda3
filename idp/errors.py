"""What can go wrong in the domain, as types with stable codes.

A use case raises a subclass of `DomainError`. It carries a code and facts, never a sentence: the sentence that
a user reads stands in `idp/messages.py`, once for every code, and is translated there.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """Base of everything a use case refuses.

    `code` is stable and may be logged; `status` is the HTTP status of the page; `facts` are the values the
    sentence needs (tries left, minutes, a reference), never personal data in clear.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, field: str | None = None, **facts: Any) -> None:
        super().__init__(self.code)
        self.field = field
        self.facts = facts


class NotFound(DomainError):
    """The thing named in the address does not exist, or is not this person's to see."""

    code = "not_found"
    status = 404


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
