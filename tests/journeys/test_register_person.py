"""个人注册: from an empty form to an account at 一级实名 (P1–P5)."""

from playwright.sync_api import expect

from tests.journeys import pages
from tests.journeys.pages import person_form
from tests.journeys.window import Window
from tests.journeys.world import World
from tests.support import codes, fictional

KEPT = ("document_type", "document_number", "name", "phone", "username")


def typed(form: dict[str, str]) -> dict[str, str]:
    """Return what must stand in the form again after a refusal: everything but the passwords."""
    return {name: form[name] for name in KEPT}


def test_a_person_registers(window: Window, world: World) -> None:
    """P1: document, name, phone with SMS code, login name, password; success is 一级实名."""
    who = world.someone()
    window.go("/sign-in")
    window.follow("个人注册")
    window.look("register-person")
    pages.register_person(window, who)
    window.look("register-person-done")
    window.follow("去登录")
    pages.sign_in(window, who.login, who.password)
    window.is_at("/account")
    window.reads("一级实名", who.login, who.masked_document)
    window.look("account")


def test_the_code_comes_by_sms_and_the_form_stays(window: Window, world: World) -> None:
    """P1, DESIGN 8: 「获取验证码」 loses nothing, says where the code went, and counts down."""
    who = world.someone()
    form = person_form(who)
    window.go("/register/person")
    window.fill(**form)
    code = pages.ask_for_code(window, who.phone)
    assert window.values(*KEPT) == typed(form)
    assert code not in window.page.content()
    window.reads(f"验证码已发送至 {who.phone[:3]}****{who.phone[-4:]}，5 分钟内有效")
    expect(window.page.get_by_role("button", name="秒后可重新获取")).to_have_attribute("aria-disabled", "true")
    [message] = world.sent_to(who.phone)
    assert code in message["text"]
    window.look("register-person-code-sent")


def test_a_code_is_asked_for_once_a_minute(window: Window, world: World) -> None:
    """DESIGN 8: another window cannot ask either; the sentence says how long to wait, and nothing is lost."""
    who = world.someone()
    form = person_form(who)
    window.go("/register/person")
    window.fill(**form)
    pages.ask_for_code(window, who.phone)
    window.go("/register/person")
    window.fill(**form)
    window.press("获取验证码")
    window.reads("验证码发送过于频繁，请于")
    assert window.values(*KEPT) == typed(form)
    assert len(world.sent_to(who.phone)) == 1


def test_a_wrong_code_says_how_many_tries_are_left(window: Window, world: World) -> None:
    """DESIGN 8: five tries, then the right code is worth nothing."""
    who = world.someone()
    form = person_form(who)
    window.go("/register/person")
    window.fill(**form)
    code = pages.ask_for_code(window, who.phone)
    secret = {"password": who.password, "password_again": who.password}
    for left in (4, 3, 2, 1):
        window.fill(code=codes.wrong(code), **secret)
        window.press("注册")
        window.refused_at("code", f"短信验证码错误，还可尝试 {left} 次")
        assert window.values(*KEPT) == typed(form)
    for typed_code in (codes.wrong(code), code):
        window.fill(code=typed_code, **secret)
        window.press("注册")
        window.refused_at("code", "短信验证码已失效，请重新获取")


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_lost(window: Window, world: World) -> None:
    """P2, P3, P5: each sentence at its field; what was right is not asked for again."""
    who = world.someone()
    window.go("/register/person")
    wrong = person_form(
        who,
        document_number="440106188001010011",
        name="张 三",
        phone="02012345678",
        username="1abcd",
        password="short",
        password_again="short",
    )
    window.fill(**wrong, code="000000")
    window.press("注册")
    window.refused_at("document_number", "证件号码有误（校验位不符），请核对")
    window.refused_at("name", "中文姓名中间不能有空格")
    window.refused_at("phone", "该号码不是手机号，不能接收短信验证码")
    window.refused_at("username", "用户名应为 5–20 位字母、数字或下划线，并以字母开头")
    window.refused_at("password", "密码不能少于 8 位；密码须含大写字母；密码须含数字")
    assert window.values(*KEPT) == typed(wrong)
    assert wrong["password"] not in window.page.content()
    summary = window.page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(5)
    window.look("register-person-refused")


def test_a_weak_password_is_refused(window: Window, world: World) -> None:
    """P3: length, kinds of characters, runs in either direction and case."""
    who = world.someone()
    window.go("/register/person")
    for password, sentence in {
        "Xqwert-2026": "密码不能有超过 4 个键盘相邻或连续的字符（如 asdfg、12345）",
        "X-EDCBA-2026x": "密码不能有超过 4 个键盘相邻或连续的字符（如 asdfg、12345）",
        "nocapitals1": "密码须含大写字母",
        "NOLOWERCASE1": "密码须含小写字母",
        "NoDigitsHere": "密码须含数字",
        "Aa1" + "xy" * 14: "密码不能超过 30 位",
    }.items():
        window.fill(**person_form(who, password=password, password_again=password), code="000000")
        window.press("注册")
        window.refused_at("password", sentence)


def test_a_password_that_holds_what_others_know_is_refused(window: Window, world: World) -> None:
    """P3: not the login name, phone or document number. And it is typed twice alike."""
    who = world.someone()
    window.go("/register/person")
    for secret, sentence in {
        f"X-{who.login}": "密码不能含有用户名",
        f"Xy{who.phone}": "密码不能含有手机号",
        f"Xy{who.document}": "密码不能含有证件号码",
    }.items():
        window.fill(**person_form(who, password=secret, password_again=secret), code="000000")
        window.press("注册")
        expect(window.page.locator("#password-error")).to_contain_text(sentence)
    window.fill(**person_form(who, password_again="Other-Owl1"), code="000000")
    window.press("注册")
    window.refused_at("password_again", "两次输入的密码不一致")


def test_every_kind_of_document_is_checked_by_its_own_rule(window: Window, world: World) -> None:
    """P5: six kinds, each with its format and check digit."""
    n = 7000
    window.go("/register/person")
    expect(window.field("证件类型").get_by_role("option")).to_have_text(
        [
            "居民身份证",
            "港澳居民来往内地通行证",
            "台湾居民来往大陆通行证",
            "港澳台居民居住证",
            "外国人永久居留身份证",
            "护照",
        ]
    )
    numbers = {
        "居民身份证": (fictional.resident_id(n)[:-1] + "0", fictional.resident_id(n)),
        "港澳居民来往内地通行证": ("X12345678", fictional.hk_macao_permit(n)),
        "台湾居民来往大陆通行证": ("1234567", fictional.taiwan_permit(n)),
        "港澳台居民居住证": (fictional.resident_id(n), fictional.hmt_residence_permit(n)),
        "外国人永久居留身份证": (fictional.passport(n), fictional.foreign_permanent_residence(n)),
        "护照": ("!", fictional.passport(n)),
    }
    window.fill(**person_form(world.someone()), code="000000")
    secret = {"password": fictional.password(), "password_again": fictional.password()}
    for kind, (wrong, right) in numbers.items():
        window.field("证件类型").select_option(label=kind)
        window.fill(document_number=wrong, **secret)
        window.press("注册")
        expect(window.page.locator("#document_number-error")).to_be_visible()
        window.fill(document_number=right, **secret)
        window.press("注册")
        window.refused_at("code", "短信验证码已失效，请重新获取")  # which is looked at once all else is right
        expect(window.page.locator("#document_number-error")).to_have_count(0)


def test_what_is_taken_is_said_word_for_word(window: Window, world: World) -> None:
    """P2, P4: told to whoever has the phone, with a link to account recovery."""
    holder, who = world.registered(), world.someone()
    window.go("/register/person")
    form = person_form(who, document_number=holder.document, username=holder.login.upper())
    window.fill(**form)
    code = pages.ask_for_code(window, who.phone)
    secret = {"password": who.password, "password_again": who.password}
    window.fill(code=code, **secret)
    window.press("注册")
    window.refused_at("username", "用户名已被使用")
    window.refused_at("document_number", "自然人证件号码已被使用 账号找回")
    assert window.values(*KEPT) == typed(form)
    window.look("register-person-taken")
    window.page.locator("#document_number-error").get_by_role("link", name="账号找回").click()
    window.is_at("/recover")
    window.look("recover")


def test_a_taken_phone_is_said_word_for_word(window: Window, world: World) -> None:
    """P4: only to whoever has that phone."""
    holder, who = world.registered(), world.someone()
    form = person_form(who, phone=holder.phone)
    window.go("/register/person")
    window.fill(**form)
    code = pages.ask_for_code(window, holder.phone)
    window.fill(code=code, password=who.password, password_again=who.password)
    window.press("注册")
    window.refused_at("phone", "手机号已被占用")
    assert window.values(*KEPT) == typed(form)


def test_an_empty_form_names_every_field(window: Window) -> None:
    """P1: one sentence for all, and a list at the top that leads to each field."""
    window.go("/register/person")
    window.press("注册")
    for field in ("document_number", "name", "phone", "code", "username", "password", "password_again"):
        window.refused_at(field, "该字段是必填字段。")
    window.page.get_by_role("alert").get_by_role("link", name="姓名").click()
    expect(window.field("姓名")).to_be_focused()
    window.reads("请检查以下内容")
