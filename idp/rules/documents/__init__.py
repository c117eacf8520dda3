"""Document numbers of persons (P5) and units (U3): format, check digit, date of birth."""

from idp.rules.documents.kinds import PersonDocument, UnitDocument
from idp.rules.documents.persons import birth_date_of, check_person_document
from idp.rules.documents.units import check_unit_document

__all__ = ["PersonDocument", "UnitDocument", "birth_date_of", "check_person_document", "check_unit_document"]
