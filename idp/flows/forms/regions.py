"""The region picker of a form: three lists that fill each other (macros/forms.html, region)."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from wtforms import SelectField

from idp.flows.forms.base import Form, required
from idp.units import regions
from idp.units.regions import Level, Place


class RegionForm(Form):
    """A form with the fields `province`, `city`, `district`. Call `fill_regions` before it is validated or shown."""

    province = SelectField(_("省"), [required()], choices={}, validate_choice=False)
    city = SelectField(_("市"), choices={}, validate_choice=False)
    district = SelectField(_("区县"), choices={}, validate_choice=False)

    def choose_region(self, session: Session, code: str) -> None:
        """Set the three lists to the region `code`; to nothing where there is no such region."""
        places = regions.path(session, code)
        fields = (self.province, self.city, self.district)
        for place, field in zip(places, fields, strict=False):
            field.data = place.code

    def fill_regions(self, session: Session) -> None:
        """Give each list its entries; drop a choice that does not stand in its list any more."""
        parent: str | None = None
        for level, field in zip(Level, (self.province, self.city, self.district), strict=True):
            places: list[Place] = []
            if level is Level.PROVINCE or parent:
                found, places = regions.below(session, parent)
                places = places if found is level else []
            choices = {"": gettext("请选择…")} | {place.code: place.name for place in places}
            field.choices = choices
            if field.data not in choices:
                field.data = ""
            parent = field.data or None

    @property
    def region_code(self) -> str:
        """The deepest region that was chosen, or an empty text."""
        return self.district.data or self.city.data or self.province.data or ""
