"""The whole portal on one page."""

from flask import Flask, url_for

from relying_parties.recruitment import api, center, jobs, login, money, public
from relying_parties.recruitment.tables import TABLES
from relying_parties.shared import portal
from relying_parties.shared.identities import Identity
from relying_parties.shared.settings import Settings


def _page_of(identity: Identity) -> str:
    """Return where an identity works: 企业中心 of its unit, or 个人中心."""
    if identity.unit is None:
        return url_for("public.me")
    return url_for("center.overview", unit_id=identity.unit.id)


PARTS = portal.Parts(
    name="recruitment",
    site=portal.Site(
        "公共招聘服务平台",
        "Public Recruitment Service",
        ("本平台向求职者和用人单位免费", "服务热线 12333"),
        (("login.for_unit", "repeat", "选择其他单位"), ("public.me", "id-card", "个人中心")),
    ),
    identity_url=_page_of,
    tables=TABLES,
    pages=(public.pages, login.pages, center.pages, jobs.pages),
    endpoints=(login.third_party, api.blueprint),
    styles=("css/jobs.css",),
    unaffected=("查找职位不受影响。",),
)


def create_app(settings: Settings) -> Flask:
    """Build the portal; raises what `portal.assemble` does."""
    app = portal.assemble(__name__, settings, PARTS)
    app.jinja_env.globals["salary"] = money.salary
    return app
