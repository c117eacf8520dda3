"""One accessibility check for every page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

GRAVE = {"serious", "critical"}
ALWAYS = {"page-has-heading-one"}
"""Rules that axe calls moderate and we do not: a page must name itself, on the phone too."""

_REPEATED_IDS = """() => {
    const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
    return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
}"""


def axe_check(page: Page) -> None:
    """Fail unless the page is free of serious and critical axe findings, has an h1, and repeats no id."""
    repeated = page.evaluate(_REPEATED_IDS)
    assert not repeated, f"{page.url}: ids used more than once: {', '.join(repeated)}"
    found = Axe().run(page).response["violations"]
    grave = [entry for entry in found if entry["impact"] in GRAVE or entry["id"] in ALWAYS]
    assert not grave, f"{page.url}:\n" + "\n".join(_line(entry) for entry in grave)


def _line(violation: dict[str, object]) -> str:
    nodes = violation["nodes"]
    assert isinstance(nodes, list)
    where = "; ".join(str(node["html"]) for node in nodes[:5])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {where}"
