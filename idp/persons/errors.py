"""What can go wrong with a person's data."""

from idp.errors import DomainError


class PersonDataRefused(DomainError):
    """Some of what was typed cannot be taken; `errors` holds one refusal for each such field."""

    code = "person_data_refused"

    def __init__(self, errors: tuple[DomainError, ...]) -> None:
        super().__init__()
        self.errors = errors


class DocumentTaken(DomainError):
    """A person with this document has an account (P4)."""

    code = "document_taken"

    def __init__(self) -> None:
        super().__init__("document_number")


class PhoneTaken(DomainError):
    """Another account has this phone (P4)."""

    code = "phone_taken"

    def __init__(self) -> None:
        super().__init__("phone")


class UnionPayRefused(DomainError):
    """Base of the answers of UnionPay that prove nothing (P6)."""

    code = "unionpay_mismatch"


class UnionPayMismatch(UnionPayRefused):
    """Name, document, card and phone do not belong together; which of them differs is not told."""

    code = "unionpay_mismatch"


class UnionPayCardNotSupported(UnionPayRefused):
    """A kind of card that takes no part."""

    code = "unionpay_card_not_supported"

    def __init__(self) -> None:
        super().__init__("bank_card")


class UnionPayCardBlocked(UnionPayRefused):
    """The card is lost, blocked or not yet activated."""

    code = "unionpay_card_blocked"

    def __init__(self) -> None:
        super().__init__("bank_card")


class UnionPayQuota(UnionPayRefused):
    """No more tries today."""

    code = "unionpay_quota"
    status = 429
