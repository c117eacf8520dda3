"""The whole portal on one page."""

from flask import Flask, url_for

from relying_parties.service_hall import api, hall, login, public
from relying_parties.service_hall.filings import TABLES
from relying_parties.shared import portal
from relying_parties.shared.identities import Identity
from relying_parties.shared.settings import Settings


def _page_of(identity: Identity) -> str:
    """Return where an identity works; whoever is no unit's is led to where one signs in."""
    return url_for("login.choose") if identity.unit is None else url_for("hall.overview", unit_id=identity.unit.id)


PARTS = portal.Parts(
    name="service_hall",
    site=portal.Site(
        "人社网办大厅",
        "Online Service Hall",
        ("为用人单位办理社会保险和就业业务", "服务热线 12333"),
        (("login.choose", "repeat", "切换单位或身份"),),
    ),
    identity_url=_page_of,
    tables=TABLES,
    pages=(public.pages, login.pages, hall.pages),
    endpoints=(api.blueprint,),
    styles=("css/hall.css",),
)


def create_app(settings: Settings) -> Flask:
    """Build the portal; raises what `portal.assemble` does."""
    return portal.assemble(__name__, settings, PARTS)
