"""English words are longer: no page may overflow on the phone, or cut off what it says."""

from http import HTTPStatus
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

from tests.flows.inside import ADDRESS, InsideVisitor
from tests.i18n.scenes import SCENES, World

WIDTHS = (1440, 390, 320)
MAIN = (
    *("sign_in_person", "sign_in_unit", "sign_in_wrong", "sign_in_at_a_portal", "help", "recover", "not_found"),
    *("register_person", "register_person_wrong", "register_person_code_again"),
    *("register_unit_1", "register_unit_1_level", "register_unit_2_taken", "register_unit_3", "register_unit_done"),
    *("account", "parent_accounts", "parent_accounts_none", "agreements_given", "devices", "raise_level", "unionpay"),
    *("leave", "sign_out", "signed_out", "unit", "unit_edit_wrong", "unit_verified"),
    *("sub_accounts", "sub_accounts_many", "bind_wrong", "grants", "withdraw"),
    *("chooser", "chooser_with_a_reason", "ask_for_grant", "grant_requests", "consent_for_a_unit", "consent_for_more"),
    *("raise_level_for_a_portal", "raise_level_of_a_unit", "account_refused"),
    *("device_wrong", "device_consent", "device_done"),
    *("sign_in_sms", "sign_in_passkey", "security_full", "security_linked", "set_password_refused"),
    *("totp_new", "recovery_codes_shown", "passkey_new"),
    *("step_up_sms", "step_up_passkey", "raise_level_by_a_factor"),
)
"""One scene for each page that looks different."""
OVERFLOWING = """() => [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > innerWidth + 0.5 && element.checkVisibility()
        && !element.closest('.visually-hidden, .table thead'))
    .map(element => element.outerHTML.slice(0, 120))"""
CUT_OFF = """() => [...document.querySelectorAll('body *')]
    .filter(element => element.checkVisibility() && !element.closest('.visually-hidden, .table thead, svg, iframe')
        && !['INPUT', 'SELECT', 'TEXTAREA', 'HTML', 'BODY'].includes(element.tagName)
        && getComputedStyle(element).overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1)
    .map(element => element.outerHTML.slice(0, 120))"""
BURSTING = """() => [...document.querySelectorAll('.card, .panel, .button, .badge, .tabs__tab, .nav-list a, label')]
    .filter(element => element.checkVisibility() && !element.closest('.visually-hidden')
        && element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline')
    .map(element => element.outerHTML.slice(0, 120))"""
BROKEN_WORDS = """() => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), broken = [];
    while (texts.nextNode()) {
        const text = texts.currentNode;
        if (!text.parentElement.checkVisibility() || text.parentElement.closest('.visually-hidden, svg')) continue;
        for (const word of text.data.matchAll(/[A-Za-z]{2,}/g)) {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) broken.push(word[0]);
        }
    }
    return broken;
}"""
PLACEHOLDERS = """() => [...document.querySelectorAll('input[placeholder]')].filter(input => {
    const style = getComputedStyle(input), pen = document.createElement('canvas').getContext('2d');
    pen.font = style.font;
    const room = input.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(input.placeholder).width > room;
}).map(input => input.placeholder)"""


def show(page: Page, visitor: InsideVisitor) -> None:
    """Open in the browser what `visitor` sees; style sheets and scripts come from the application as well."""

    def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            return route.fulfill(status=HTTPStatus.OK, content_type="text/html; charset=utf-8", body=visitor.text)
        with visitor.client.get(route.request.url.removeprefix(ADDRESS)) as found:
            return route.fulfill(status=found.status_code, content_type=found.content_type, body=found.get_data())

    page.route("**/*", answer)
    page.goto(ADDRESS + urlsplit(visitor.url).path)


@pytest.mark.parametrize("name", MAIN)
def test_nothing_overflows_or_is_cut_off_in_english(world: World, lasting_page: Page, name: str) -> None:
    world.lang = "en"
    page = lasting_page
    show(page, SCENES[name].act(world))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for summary in page.locator("details:not([open]) > summary:visible").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for complaint in (OVERFLOWING, CUT_OFF, BURSTING, BROKEN_WORDS, PLACEHOLDERS):
            assert page.evaluate(complaint) == [], width
