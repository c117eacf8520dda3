"""The provider's pages as people use them. A function fills in one form; what it leads to is the test's to say."""

from playwright.sync_api import Locator, expect

from tests.journeys.window import Window
from tests.journeys.world import Company, Someone

# --- codes by SMS --------------------------------------------------------------------------------------------------


def ask_for_code(window: Window, phone: str) -> str:
    """Press 「获取验证码」 and return the code that reaches `phone`."""
    known = len(window.world.sent_to(phone))
    window.press("获取验证码")
    window.reads("验证码已发送至")
    return str(window.world.next_sms(phone, known)["code"])


# --- a person ------------------------------------------------------------------------------------------------------


def person_form(who: Someone, **changes: str) -> dict[str, str]:
    """Return 个人注册 filled in, but for the code."""
    return {
        "document_type": who.document_type,
        "document_number": who.document,
        "name": who.name,
        "phone": who.phone,
        "username": who.login,
        "password": who.password,
        "password_again": who.password,
        "accept_terms": "on",
    } | changes


def register_person(window: Window, who: Someone) -> None:
    """Fill in 个人注册 from the first field to 「注册成功」 (P1)."""
    window.go("/register/person")
    form = person_form(who)
    window.fill(**form)
    code = ask_for_code(window, who.phone)
    # A page never gives a password back; everything else stands there still.
    window.fill(code=code, password=form["password"], password_again=form["password_again"])
    window.press("注册")
    window.reads("注册成功")


def sign_in(window: Window, name: str, password: str, *, as_unit: bool = False) -> None:
    """Fill in the form of sign-in that is open, of either tab (P8, U6)."""
    window.fill(username=name, password=password)
    if as_unit:
        window.field("以单位身份登录").check()
    window.press("登录")


def sign_in_person(window: Window, who: Someone) -> None:
    window.go("/sign-in")
    sign_in(window, who.login, who.password)
    window.is_at("/account")


def sign_in_unit(window: Window, unit: Company) -> None:
    window.go("/sign-in")
    window.follow("单位登录")
    window.reads("统一社会信用代码")
    sign_in(window, unit.login, unit.password)
    window.is_at("/unit")


def check_card(window: Window, who: Someone, **changes: str) -> None:
    """Fill in 银联实名认证, which is open, and send it (P6)."""
    window.fill(bank_card=who.card, phone=who.card_phone)
    code = ask_for_code(window, who.card_phone)
    window.fill(**({"bank_card": who.card, "code": code} | changes))
    window.press("认证")


# --- a unit --------------------------------------------------------------------------------------------------------


def give_agent(window: Window, who: Someone) -> None:
    """First step of 单位注册: who registers (U1)."""
    window.fill(agent_username=who.login, agent_document_number=who.document)
    window.press("下一步")


def unit_form(unit: Company, **changes: str) -> dict[str, str]:
    """Return the second step of 单位注册 filled in, but for the seat."""
    return {
        "document_number": unit.uscc,
        "name": unit.name,
        "legal_representative": unit.legal_representative,
        "username": unit.login,
        "password": unit.password,
        "password_again": unit.password,
    } | changes


def choose_region(window: Window, *names: str) -> None:
    """Choose a seat from the lists, which fill each other with scripts and by a button without."""
    for place, name in enumerate(names):
        box = window.page.get_by_role("combobox", name=("省", "市", "区县")[place], exact=True)
        box.select_option(label=name)
        if not window.scripts and place < len(names) - 1:
            window.press("选择下一级地区")


def fill_unit(window: Window, unit: Company, **changes: str) -> None:
    """Second step of 单位注册: fill in, without sending."""
    choose_region(window, *unit.region)
    window.fill(**unit_form(unit, **changes))


def confirm_unit(window: Window, agent: Someone) -> None:
    """Third step of 单位注册: the code that the agent's phone gets."""
    window.world.a_minute_passes()  # the agent's phone may have had a code just now
    code = ask_for_code(window, agent.phone)
    window.fill(code=code)
    window.press("注册")
    window.reads("单位注册成功")


def register_unit(window: Window, unit: Company, agent: Someone) -> None:
    """All three steps of 单位注册 (U1)."""
    window.go("/register/unit")
    give_agent(window, agent)
    window.is_at("/register/unit/2")
    fill_unit(window, unit)
    window.press("下一步")
    window.is_at("/register/unit/3")
    confirm_unit(window, agent)


# --- bindings and grants -------------------------------------------------------------------------------------------


def sub_account(window: Window, who: Someone) -> Locator:
    """Return the line of a person in 子账号信息, which is open."""
    return window.page.get_by_role("row").filter(has_text=who.masked_document)


def ask_to_bind(window: Window, who: Someone, kind: str = "经办人员", **changes: str) -> None:
    """Fill in 子账号信息 → 新增 and send it (U9)."""
    window.go("/unit/sub-accounts/new")
    wanted = {
        "name": who.name,
        "document_type": who.document_type,
        "document_number": who.document,
        "username": who.login,
    }
    window.fill(**(wanted | changes))
    window.page.get_by_role("radio", name=kind, exact=True).check()
    window.press("发起绑定")


def on_sub_account(window: Window, who: Someone, button: str) -> None:
    """Press a button in the line of a person in 子账号信息."""
    window.go("/unit/sub-accounts")
    sub_account(window, who).get_by_role("link", name=button, exact=True).click()


def confirm(window: Window, button: str) -> None:
    """Answer the page that asks again before something takes effect."""
    window.reads("确认后立即生效")
    window.press(button)


def answer_request(window: Window, unit: Company, answer: str = "接受") -> None:
    """Accept or refuse in 父账号信息 (U10)."""
    window.go("/account/parent-accounts")
    line = window.page.get_by_role("listitem").filter(has_text=unit.name)
    line.get_by_role("button", name=answer).click()


def grant(window: Window, business: str, *, first: str = "", last: str = "") -> None:
    """Fill in 业务授权, which is open: a business by its code, days as 2026-12-31 (U11)."""
    window.fill(business=business, valid_from=first, valid_to=last)
    window.press("授权")
    window.reads("授权已保存，立即生效。")


def granted(window: Window, business: str) -> Locator:
    """Return the line of a granted business, by its name, in 业务授权."""
    return window.page.get_by_role("listitem").filter(has=window.page.get_by_role("heading", name=business))


def withdraw_grant(window: Window, business: str) -> None:
    """Take a granted business back, up to the last click (U11)."""
    granted(window, business).get_by_role("link", name="收回授权").click()
    window.reads("确认后立即生效")


# --- on the way to a portal ----------------------------------------------------------------------------------------


def option(window: Window, name: str) -> Locator:
    """Return the radio button of a unit, or of 「本人」, in 单位选择."""
    return window.page.get_by_role("radio", name=name)


def choose_unit(window: Window, name: str) -> None:
    """Choose a unit, or 「本人」, in 单位选择 (C1)."""
    window.is_at("/choose-unit")
    option(window, name).check()
    window.press("为选中的单位办理业务，点击此处登录")


def agree(window: Window) -> None:
    """Agree to what the portal asks for."""
    window.is_at("/consent")
    window.press("同意并继续")


def cannot_choose(window: Window, name: str, reason: str) -> None:
    """The unit stands in 单位选择, greyed, with the reason."""
    expect(option(window, name)).to_be_disabled()
    expect(option(window, name)).to_have_accessible_description(reason)
