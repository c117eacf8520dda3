"""The catalogue of SMS: every text, and what may be filled in."""

import pytest

from idp.gateways import sms_templates
from idp.gateways.sms_templates import CHANGES, PURPOSES, TEMPLATES, fill
from tests.support import fictional

PARAMS: dict[str, str | int] = {"code": "402913", "purpose": "reset_password", "minutes": 5}
EXAMPLES: dict[str, dict[str, str | int]] = {
    "verification_code": PARAMS,
    "binding_requested": {"unit": fictional.unit_name()},
    "grant_requested": {"agent": "*三", "unit": fictional.unit_name(), "business": "招聘职位管理"},
    "grant_given": {"unit": fictional.unit_name(), "business": "招聘职位管理"},
    "grant_refused": {"unit": fictional.unit_name(), "business": "招聘职位管理", "days": 7},
    "unit_authorisation_code": {"unit": fictional.unit_name(), "code": "AB2C-DE3F-GH4J", "until": "2026-11-28 18:00"},
    "unit_verified": {"unit": fictional.unit_name()},
    "factor_changed": {"change": "passkey_added"},
    "unit_factor_changed": {"unit": fictional.unit_name(), "change": "certificate_added"},
}


def test_every_template_has_an_example_here() -> None:
    assert EXAMPLES.keys() == TEMPLATES.keys()


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_every_text_begins_with_the_signature_and_holds_its_values(template: str) -> None:
    filled = fill(template, EXAMPLES[template])
    assert filled.text.startswith("【经办】")
    assert "{" not in filled.text
    assert filled.params.keys() == EXAMPLES[template].keys()
    assert not [value for value in filled.params.values() if value not in filled.text]


def test_the_longest_name_of_a_unit_fits() -> None:
    assert "司" * 100 in fill("binding_requested", {"unit": "司" * 100}).text


@pytest.mark.parametrize("purpose", list(PURPOSES))
def test_every_purpose_reads_as_words(purpose: str) -> None:
    filled = fill("verification_code", PARAMS | {"purpose": purpose})
    assert f"您正在办理{PURPOSES[purpose]}，" in filled.text


@pytest.mark.parametrize("change", list(CHANGES))
def test_every_change_reads_as_words(change: str) -> None:
    assert f"您的账号刚刚{CHANGES[change]}。" in fill("factor_changed", {"change": change}).text


def test_a_value_is_not_filled_in_twice() -> None:
    assert "{minutes}" in fill("verification_code", PARAMS | {"code": "{minutes}"}).text


@pytest.mark.parametrize(
    ("template", "params", "named"),
    [
        ("no_such", PARAMS, "no_such"),
        ("verification_code", {}, "code"),
        ("verification_code", PARAMS | {"name": "x"}, "name"),
        ("verification_code", PARAMS | {"purpose": "whatever"}, "purpose"),
        ("factor_changed", {"change": "whatever"}, "change"),
        ("verification_code", PARAMS | {"code": ""}, "code"),
        ("verification_code", PARAMS | {"code": "secret" * 17}, "code"),
        ("verification_code", PARAMS | {"code": "secret\n"}, "code"),
        ("verification_code", PARAMS | {"code": "secret\ud800"}, "code"),
        ("verification_code", PARAMS | {"code": "【secret】"}, "code"),
    ],
)
def test_what_does_not_fit_is_named_but_not_quoted(template: str, params: dict[str, str | int], named: str) -> None:
    with pytest.raises(ValueError, match=named) as caught:
        fill(template, params)
    assert "secret" not in str(caught.value)


def test_a_filled_template_prints_neither_values_nor_text() -> None:
    assert repr(fill("verification_code", PARAMS)) == "FilledTemplate(template='verification_code')"
    assert sms_templates.SIGNATURE == "【经办】"
