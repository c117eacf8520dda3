"""What can go wrong with a unit's data."""

from idp.errors import DomainError


class UnitNumberTaken(DomainError):
    """A unit has this number. The fact `reference` also stands in the log and in the audit (U4)."""

    code = "unit_number_taken"

    def __init__(self, reference: str) -> None:
        super().__init__("document_number", reference=reference)
        self.reference = reference


class RegionIncomplete(DomainError):
    """A seat is a region that has no regions below it."""

    code = "region_incomplete"


class UnitNameFixed(DomainError):
    """A verified unit's name and legal representative are not typed any more (U16)."""

    code = "unit_name_fixed"
