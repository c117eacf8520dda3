"""One accessibility check for every page."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

GRAVE = {"serious", "critical"}
ALWAYS = {"page-has-heading-one"}
"""Rules that axe calls moderate and we do not: a page must name itself, on the phone too."""

_REPEATED_IDS = """() => {
    const ids = [...document.querySelectorAll("[id]")].map(element => element.id);
    return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
}"""
# Only what fails, and of that only what is shown: the rest took longer to bring here than to find.
_VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    ({id, impact, help, nodes}) => ({id, impact, help, nodes: nodes.map(({html}) => ({html}))}))"""


def axe_check(page: Page) -> None:
    """Fail unless the page is free of serious and critical axe findings, has an h1, and repeats no id."""
    repeated = page.evaluate(_REPEATED_IDS)
    assert not repeated, f"{page.url}: ids used more than once: {', '.join(repeated)}"
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)  # half a megabyte to parse: once for a document that is checked several times
    found = page.evaluate(_VIOLATIONS)
    grave = [entry for entry in found if entry["impact"] in GRAVE or entry["id"] in ALWAYS]
    assert not grave, f"{page.url}:\n" + "\n".join(_line(entry) for entry in grave)


def _line(violation: dict[str, object]) -> str:
    nodes = violation["nodes"]
    assert isinstance(nodes, list)
    where = "; ".join(str(node["html"]) for node in nodes[:5])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {where}"
