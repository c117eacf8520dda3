"""What can go wrong in the domain, as types with stable codes.

A use case raises a subclass of `DomainError`. It carries a code and facts, never a sentence: the sentence that
a user reads stands in `idp/messages.py`, once for every code, and is translated there.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeVar

V = TypeVar("V")


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


class Refusals:
    """Collects what several rules refuse, so that a form can say all of it at once."""

    def __init__(self) -> None:
        self._errors: list[DomainError] = []

    def tried(self, rule: Callable[[], V], field: str | None = None) -> V | None:
        """Return what `rule` returns; None when it refused. `field` is where that is shown, if not where it says."""
        try:
            return rule()
        except DomainError as error:
            error.field = field or error.field
            self._errors.append(error)
            return None

    def __iter__(self) -> Iterator[DomainError]:
        """Yield what was refused, in the order of the tries."""
        return iter(self._errors)

    def __len__(self) -> int:
        """Return how many rules refused."""
        return len(self._errors)
