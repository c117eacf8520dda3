"""Pages for everybody: search and jobs (R5); and where a person stands who signed in (R1)."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from relying_parties.recruitment import choices, problems, search
from relying_parties.recruitment.businesses import BUSINESSES
from relying_parties.recruitment.search import Query
from relying_parties.shared import browsers

LONGEST_TEXT = 60
LAST_PAGE = 100_000

pages = Blueprint("public", __name__)


@pages.get("/")
def home() -> ResponseReturnValue:
    """Search published jobs."""
    query = Query(
        keyword=_text("keyword"),
        region=_text("region"),
        category=_one_of("category", choices.CATEGORIES),
        salary=int(_one_of("salary", choices.SALARIES) or 0) or None,
    )
    found = search.search(query, _page())
    return render_template("home.html", query=query, found=found, choices=choices, page_url=_page_url)


@pages.get("/jobs/<position_id>")
def job(position_id: str) -> ResponseReturnValue:
    """Show a published job; one that was taken down cannot be found (R5)."""
    found = search.find(position_id)
    if found is None:
        abort(404)
    position, company = found
    return render_template("job.html", position=position, company=company, choices=choices)


@pages.get("/me")
def me() -> ResponseReturnValue:
    """Show who is signed in in this browser, the person and the units."""
    known = browsers.living()
    if not known:
        return redirect(url_for("login.choose", next=url_for("public.me")))
    return render_template("me.html", identities=known, businesses=BUSINESSES)


@pages.get("/center")
def to_center() -> ResponseReturnValue:
    """Go to 企业中心 of the unit that was used last, or to where one can choose a unit."""
    known = browsers.living()
    unit = next((identity.unit for identity in known if identity.unit is not None), None)
    if unit is not None:
        return redirect(url_for("center.overview", unit_id=unit.id))
    return redirect(url_for("public.needs_unit") if known else url_for("login.for_unit"))


@pages.get("/center-needs-unit")
def needs_unit() -> ResponseReturnValue:
    """Say that 企业中心 is for units, to somebody who signed in for themselves."""
    if not browsers.living():
        return redirect(url_for("login.choose"))
    raise problems.needs_unit()


def _text(name: str) -> str:
    return " ".join(request.args.get(name, "").split())[:LONGEST_TEXT]


def _one_of(name: str, options: dict[str, str]) -> str:
    value = request.args.get(name, "")
    return value if value in options else ""


def _page() -> int:
    text = request.args.get("page", "1")
    return min(int(text), LAST_PAGE) if text.isascii() and text.isdigit() else 1


def _page_url(page: int) -> str:
    asked = {name: value for name, value in request.args.items() if value and name != "page"}
    return url_for("public.home", **asked, page=page)  # type: ignore[arg-type]  # our route takes any query
