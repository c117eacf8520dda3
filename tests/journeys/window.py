"""One person's browser window: doing things as people do, and looking at the page as they see it."""

import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.journeys.world import World
from tests.support.accessibility import axe_check
from tests.support.browser import DESKTOP, PHONE

SHOTS = "JINGBAN_SHOTS"
"""Name a folder in this variable to get a picture of every page, on desktop and phone, light and dark."""

SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")

_TOO_WIDE = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"


class Window:
    """A page in a browser of its own. `scripts` tells whether JavaScript runs in it."""

    def __init__(self, page: Page, world: World, *, scripts: bool = True) -> None:
        self.page = page
        self.world = world
        self.scripts = scripts

    @property
    def provider(self) -> str:
        return self.world.stack.issuer

    @property
    def portal(self) -> str:
        return self.world.stack.addresses.recruitment

    def go(self, path: str) -> None:
        """Open a page of the provider."""
        self.page.goto(self.provider + path)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        """Press a button that sends a form, and wait for the answer."""
        with self.page.expect_navigation():
            self.button(name).click()

    def follow(self, name: str) -> None:
        """Follow a link, and wait for the page."""
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=name, exact=True).first.click()

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def fill(self, **values: str) -> None:
        """Fill in the fields with these names: text, a choice of a list, or a box to tick ("on" or "")."""
        for name, value in values.items():
            self._fill(self.page.locator(f"main [name={name}]").first, value)

    @staticmethod
    def _fill(control: Locator, value: str) -> None:
        kind = control.evaluate("element => element.type")
        if kind == "select-one":
            control.select_option(value)
        elif kind == "checkbox":
            control.set_checked(bool(value))
        else:
            control.fill(value)

    def values(self, *names: str) -> dict[str, str]:
        """Return what the fields hold now."""
        return {name: self.page.locator(f"main [name={name}]").first.input_value() for name in names}

    # --- what stands there -----------------------------------------------------------------------------------------

    def is_at(self, path: str) -> None:
        """Wait for a page of the provider."""
        self.page.wait_for_url(lambda url: url.startswith(self.provider) and urlsplit(url).path == path)

    def reads(self, *sentences: str) -> None:
        """Wait until the page says each of these, word for word."""
        for sentence in sentences:
            expect(self.page.get_by_text(sentence).locator("visible=true").first).to_be_visible()

    def silent_about(self, *sentences: str) -> None:
        """The page, which must be there already, says none of these."""
        for sentence in sentences:
            expect(self.page.get_by_text(sentence)).to_have_count(0)

    def refused_at(self, field: str, sentence: str) -> None:
        """Wait until the field of this name shows this sentence and nothing else."""
        expect(self.page.locator(f"#{field}-error")).to_have_text(sentence)
        control = self.page.locator(f"main [name={field}]").first
        expect(control).to_have_attribute("aria-invalid", "true")

    def look(self, name: str) -> None:
        """Check what everybody needs to use this page; with JINGBAN_SHOTS keep pictures of it."""
        self._check()
        if SHOTS in os.environ and self.scripts:
            self._keep_pictures(Path(os.environ[SHOTS]), name)

    def _check(self) -> None:
        assert not self.page.evaluate(_TOO_WIDE), f"{self.page.url}: wider than the window"
        if self.scripts:  # axe waits for promises, which never settle without scripts
            axe_check(self.page)

    def _keep_pictures(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        before = self.page.viewport_size
        for device, size in {"desktop": DESKTOP, "phone": PHONE}.items():
            self.page.set_viewport_size(ViewportSize(width=size["width"], height=size["height"]))
            for scheme in SCHEMES:
                self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour half-way
                self._check()
                path = folder / f"{re.sub(r'[^a-z0-9-]+', '-', name)}-{device}-{scheme}.png"
                self.page.screenshot(path=path, full_page=True)
        self.page.emulate_media(color_scheme="null", reduced_motion="null")
        if before is not None:
            self.page.set_viewport_size(before)
