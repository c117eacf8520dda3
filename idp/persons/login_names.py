"""Login names: claimed once over persons and units, without regard to case (P2)."""

from sqlalchemy.orm import Session

from idp.errors import DomainError
from idp.persons.model import AccountKind
from idp.rules.login_names import login_name_key
from idp.store import hot

CLAIM = hot.Statement(
    "INSERT INTO login_name (key, kind, owner_id) VALUES (:key, :kind, :owner_id) ON CONFLICT (key) DO NOTHING"
)


class LoginNameTaken(DomainError):
    """A person or a unit has this login name."""

    code = "login_name_taken"

    def __init__(self) -> None:
        super().__init__("login_name")


def claim(session: Session, login_name: str, kind: AccountKind, owner_id: str) -> None:
    """Give `login_name` (checked, as typed) to an account that is being made. Raises LoginNameTaken.

    Of parallel claims one wins: the others wait for its transaction and are refused if it commits.
    """
    claimed = hot.within(session).run(CLAIM, key=login_name_key(login_name), kind=kind.value, owner_id=owner_id)
    if not claimed:
        raise LoginNameTaken
