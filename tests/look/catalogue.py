"""Every page of the provider with fictional data, to be looked at and tested: `python -m tests.look.catalogue`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from idp import look
from tests.look import forms

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PROVINCES = {"440000": "广东省", "110000": "北京市"}
BELOW = {
    "440000": ("city", {"440100": "广州市", "440700": "江门市", "441900": "东莞市", "442000": "中山市"}),
    "440100": ("district", {"440106": "天河区", "440111": "白云区"}),
    "440700": ("district", {"440703": "蓬江区", "440704": "江海区"}),
    "110000": ("district", {"110101": "东城区", "110108": "海淀区"}),
}
PROMPTS = {"province": "请选择省份", "city": "请选择城市", "district": "请选择区县"}

Page = Callable[[], str]
PAGES: dict[str, Page] = {}


class Links(dict[str, str]):
    """Any link a template asks for leads to the index of the catalogue."""

    def __missing__(self, key: str) -> str:
        return f"/?{key}"


LINKS = Links()


def page(name: str) -> Callable[[Page], Page]:
    def register(view: Page) -> Page:
        PAGES[name] = view
        return view

    return register


def sign_in_tabs(current: str) -> list[dict[str, Any]]:
    return [
        {"label": "个人登录", "url": "/sign-in?tab=person", "icon": "user", "current": current == "person"},
        {"label": "单位登录", "url": "/sign-in?tab=unit", "icon": "building-2", "current": current == "unit"},
    ]


def register_tabs(current: str) -> list[dict[str, Any]]:
    return [
        {"label": "个人注册", "url": "/register-person", "icon": "user", "current": current == "person"},
        {"label": "单位注册", "url": "/register-unit-1", "icon": "building-2", "current": current == "unit"},
    ]


METHODS = [
    {"icon": "landmark", "label": "省统一身份认证", "url": "/?province"},
    {"icon": "scan-qr-code", "label": "扫码登录", "url": "/?scan"},
    {"icon": "smartphone", "label": "短信验证码", "url": "/?sms"},
    {"icon": "fingerprint-pattern", "label": "通行密钥", "url": "/?passkey"},
    {"icon": "file-badge", "label": "数字证书", "url": "/?certificate"},
    {"icon": "id-card", "label": "电子社保卡", "url": "/?card"},
]


def sign_in(alert: dict[str, str] | None = None) -> str:
    tab = "unit" if request.args.get("tab") == "unit" else "person"
    form = forms.UnitSignIn() if tab == "unit" else forms.PersonSignIn()
    form.validate_on_submit()
    return render_template(
        "sign_in/index.html",
        form=form,
        tab=tab,
        tabs=sign_in_tabs(tab),
        portal=request.args.get("portal"),
        alert=alert,
        methods=[each | {"as_unit_url": each["url"] + "&as_unit=1"} for each in METHODS]
        if tab == "person"
        else [METHODS[0], METHODS[4]],
        links=LINKS,
    )


PAGES["sign-in"] = sign_in


@page("sign-in-unit")
def sign_in_unit() -> str:
    form = forms.UnitSignIn()
    form.validate_on_submit()
    return render_template(
        "sign_in/index.html",
        form=form,
        tab="unit",
        tabs=sign_in_tabs("unit"),
        portal="公共招聘",
        alert=None,
        methods=[METHODS[0], METHODS[4]],
        links=LINKS,
    )


@page("sign-in-missing")
def sign_in_missing() -> str:
    form = forms.PersonSignIn(meta={"csrf": False})
    form.validate()
    return render_template(
        "sign_in/index.html",
        form=form,
        tab="person",
        tabs=sign_in_tabs("person"),
        portal=None,
        alert=None,
        methods=METHODS,
        links=LINKS,
    )


@page("sign-in-wrong")
def sign_in_wrong() -> str:
    return sign_in({"kind": "error", "text": "用户名或密码错误，还可尝试 3 次。"})


@page("register-person")
def register_person() -> str:
    form = forms.RegisterPerson()
    if request.form.get("action") == "register":
        form.validate()
    return render_template(
        "register_person/index.html",
        form=form,
        tabs=register_tabs("person"),
        wait=60 if request.form.get("action") == "send_code" else 0,
        links=LINKS,
    )


@page("register-person-errors")
def register_person_errors() -> str:
    typed = {"username": "taken_name", "name": "陈示例", "phone": "13800138000", "code": "123456"}
    form = forms.RegisterPerson(
        MultiDict({**typed, "document_type": "id_card", "accept_terms": "y"}), meta={"csrf": False}
    )
    form.validate()
    form.document_number.errors = [Markup('自然人证件号码已被使用，<a href="/?recover">去找回账号</a>')]
    return render_template("register_person/index.html", form=form, tabs=register_tabs("person"), wait=42, links=LINKS)


def register_unit_1(level_too_low: dict[str, Any] | None = None) -> str:
    form = forms.RegisterUnitAgent()
    form.validate_on_submit()
    return render_template(
        "register_unit/step1.html",
        form=form,
        tabs=register_tabs("unit"),
        level_too_low=level_too_low,
        links=LINKS,
    )


PAGES["register-unit-1"] = register_unit_1


@page("register-unit-1-level")
def register_unit_1_level() -> str:
    return register_unit_1(
        {
            "text": "当前账号实名等级不足，请至少提升至二级实名后重试",
            "ways": [
                {"label": "省统一身份认证扫码", "url": "/?scan", "icon": "scan-qr-code"},
                {"label": "银联实名认证", "url": "/?unionpay", "icon": "credit-card"},
            ],
        }
    )


def fill_regions(form: forms.RegisterUnit) -> None:
    """Set the choices that follow from what is chosen, as the real view does."""
    choices: dict[str, dict[str, str]] = {"province": PROVINCES, "city": {}, "district": {}}
    for name in ("province", "city"):
        level, regions = BELOW.get(form[name].data or "", ("district", {}))
        choices[level] = regions or choices[level]
    for name, regions in choices.items():
        form[name].choices = {"": PROMPTS[name], **regions}


@page("register-unit-2")
def register_unit_2() -> str:
    form = forms.RegisterUnit()
    fill_regions(form)
    if request.form.get("action") == "next":
        form.validate()
    return render_template("register_unit/step2.html", form=form, regions_url="/regions", links=LINKS)


@page("register-unit-2-filled")
def register_unit_2_filled() -> str:
    form = forms.RegisterUnit(
        document_number="91440101MA00000156",
        name="江门市示例人力资源有限公司",
        province="440000",
        city="440700",
        district="440703",
        legal_representative="李示例",
    )
    fill_regions(form)
    form.document_number.errors = ["单位证件号码已被使用[b7c1e0]"]
    return render_template("register_unit/step2.html", form=form, regions_url="/regions", links=LINKS)


@page("register-unit-3")
def register_unit_3() -> str:
    form = forms.Code()
    if request.form.get("action") == "register":
        form.validate()
    summary = [
        ("经办人员", "*示例（chen_demo）"),
        ("证件类型", "统一社会信用代码"),
        ("证件号码", "91440101MA00000156"),
        ("单位名称", "江门市示例人力资源有限公司"),
        ("单位所在地", "广东省 江门市 蓬江区"),
        ("法定代表人", "李示例"),
        ("登录账号", "jm_demo"),
    ]
    return render_template(
        "register_unit/step3.html",
        form=form,
        summary=[{"label": label, "value": value, "step_url": "/register-unit-2"} for label, value in summary],
        phone="138****8000",
        wait=60 if request.form.get("action") == "send_code" else 0,
        links=LINKS,
    )


@page("register-unit-done")
def register_unit_done() -> str:
    return render_template("register_unit/done.html", unit_name="江门市示例人力资源有限公司", links=LINKS)


def option(id_: str, name: str, code: str, **rest: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "code": code,
        "kind": "经办人员",
        "verified": True,
        "reason": "",
        "mend": None,
        **rest,
    }


OPTIONS = [
    option("u_1", "江门市示例人力资源有限公司", "9144 0101 **** ***156"),
    option(
        "u_2",
        "广州示例科技有限公司",
        "9144 0101 **** ***32X",
        kind="常用联系人",
        verified=False,
        note="该单位未完成实名认证，只能办理无需实名的业务",
        mend={"label": "单位实名认证", "url": "/?verify"},
    ),
    option(
        "u_3",
        "蓬江区示例社区服务中心",
        "1244 0700 **** ***195",
        verified=False,
        reason="该单位未完成实名认证，暂不能办理此业务",
        mend={"label": "单位实名认证", "url": "/?verify"},
    ),
    option(
        "u_4",
        "东莞市示例制造股份有限公司",
        "9144 1900 **** ***71A",
        reason="单位对您的授权已于 2026-10-31 到期",
        mend={"label": "申请授权", "url": "/?ask"},
    ),
]


def choose(options: list[dict[str, Any]], chosen: str | None) -> str:
    form = forms.Chooser()
    form.validate_on_submit()
    return render_template(
        "choose_unit/index.html",
        form=form,
        options=options,
        chosen=chosen,
        myself={"name": "*示例", "detail": "以个人身份继续，不代表任何单位"},
        portal="公共招聘",
        links=LINKS,
    )


@page("choose-unit")
def choose_unit() -> str:
    return choose(OPTIONS, "u_1")


@page("choose-unit-ask")
def choose_unit_ask() -> str:
    return render_template(
        "choose_unit/ask.html",
        form=forms.Chooser(),
        unit={"name": "东莞市示例制造股份有限公司", "code": "9144 1900 **** ***71A"},
        businesses=[{"name": "招聘职位管理", "text": "发布、修改和下架本单位的招聘职位"}],
        portal="公共招聘",
        back_url="/choose-unit",
    )


@page("choose-unit-none")
def choose_unit_none() -> str:
    return choose([], "self")


SCOPES = [
    {"label": "确认您的身份", "text": "您的平台标识、实名等级，不含证件号码"},
    {"label": "获取所代表单位的信息", "text": "单位名称、统一社会信用代码和实名状态"},
    {"label": "职位管理", "text": "代单位新建、发布和下架职位"},
    {"label": "招聘会报名", "text": "代单位预定展位、提交参会职位"},
]


@page("consent")
def consent() -> str:
    return render_template(
        "consent/index.html",
        form=forms.PasskeyAnswer(),
        portal={"name": "公共招聘", "host": "recruitment.example", "privacy_url": "/?privacy"},
        person={"name": "*示例", "is_unit": False},
        acting={
            "name": "江门市示例人力资源有限公司",
            "code": "9144 0101 **** ***156",
            "kind": "经办人员",
            "verify_url": "/unit-verification",
        },
        scopes=SCOPES,
        links=LINKS,
    )


@page("consent-self")
def consent_self() -> str:
    return render_template(
        "consent/index.html",
        form=forms.PasskeyAnswer(),
        portal={"name": "公共招聘", "host": "recruitment.example"},
        person={"name": "*示例", "is_unit": False},
        acting=None,
        scopes=SCOPES[:1],
        links={},
    )


@page("consent-device")
def consent_device() -> str:
    return render_template(
        "consent/index.html",
        form=forms.PasskeyAnswer(),
        portal={"name": "招聘大屏", "host": ""},
        person={"name": "*示例", "is_unit": False},
        acting={"name": "江门市示例人力资源有限公司", "code": "9144 0101 **** ***156", "kind": "经办人员"},
        scopes=SCOPES,
        device={"user_code": "WDJB-MJHT", "address": "2001:db8:85a3:8d3:1319:8a2e:370:7348", "asked_at": "09:41"},
        links=LINKS,
    )


@page("device")
def device() -> str:
    return render_template("device/index.html", form=forms.EnterCode())


@page("device-wrong")
def device_wrong() -> str:
    form = forms.EnterCode(data={"user_code": "WDJB-MJHX"})
    form.user_code.errors = ["代码不正确或已失效，请核对设备上显示的代码"]
    return render_template("device/index.html", form=form)


@page("device-done")
def device_done() -> str:
    return render_template("device/done.html")


@page("device-refused")
def device_refused() -> str:
    return render_template("device/refused.html")


def entry(id_: str, label: str, icon: str, **rest: Any) -> dict[str, Any]:
    return {"id": id_, "label": label, "icon": icon, "url": f"/{id_}", **rest}


def of_person(**more: Any) -> dict[str, Any]:
    nav = [
        entry("overview", "个人资料", "id-card"),
        entry("level", "实名等级", "badge-check"),
        entry("parents", "父账号信息", "building-2", count=1),
        entry("security", "登录与安全", "shield-check"),
        entry("applications", "已授权应用", "layout-grid"),
    ]
    who = {"name": "*示例", "detail": "二级实名"}
    signed_in = {"name": "*示例", "account_url": "/account", "sign_out_url": "/sign-out"}
    return {"who": who, "nav": nav, "signed_in": signed_in, "notice": None, "links": LINKS, **more}


def of_unit(**more: Any) -> dict[str, Any]:
    nav = [
        entry("overview", "单位资料", "building-2"),
        entry("sub_accounts", "子账号信息", "users"),
        entry("contact", "常用联系人", "contact"),
        entry("verification", "单位实名", "badge-check"),
        entry("security", "登录与安全", "shield-check"),
    ]
    who = {"name": "江门市示例人力资源有限公司", "detail": "单位账号 · 已实名"}
    signed_in = {"name": "江门市示例人力资源有限公司", "account_url": "/account", "sign_out_url": "/sign-out"}
    return {"who": who, "nav": nav, "signed_in": signed_in, "notice": None, "links": LINKS, **more}


@page("account")
def account() -> str:
    person = {
        "name": "*示例",
        "document_type": "居民身份证",
        "document_number": "440***********001X",
        "phone": "138****8000",
        "username": "chen_demo",
        "has_password": True,
        "level": 2,
        "level_name": "二级实名",
        "registered_on": "2026-03-02",
    }
    return render_template("account/overview.html", person=person, parents_waiting=1, **of_person())


@page("account-level")
def account_level() -> str:
    ways = [{"label": "省统一身份认证扫码", "url": "/?scan", "icon": "scan-qr-code"}]
    levels = [
        {"number": 1, "name": "一级实名", "text": "已注册，证件信息尚未核验。", "ways": []},
        {"number": 2, "name": "二级实名", "text": "姓名、证件、银行卡和手机号经银联核验一致。", "ways": ways},
        {"number": 3, "name": "三级实名", "text": "经权威机构人脸比对，或通过数字证书认证。", "ways": ways},
    ]
    return render_template("account/level.html", level=2, levels=levels, **of_person())


WAYS = [METHODS[3], METHODS[2], {"icon": "shield-check", "label": "身份验证器动态码", "url": "/?totp"}]
SENT = {"notice": {"kind": "success", "text": "验证码已发送至 138****8000，5 分钟内有效"}, "wait": 42}
QR = Markup('<svg viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg"><path d="M1,1H8V8H1z"/></svg>')


@page("sign-in-sms")
def sign_in_sms() -> str:
    return render_template("sign_in/sms.html", form=forms.OneCode(), portal="公共招聘", code=SENT, back_url="/sign-in")


def sign_in_scan(state: str, *, is_open: bool = True) -> str:
    return render_template(
        "sign_in/scan.html",
        form=forms.Nothing(),
        state=state,
        is_open=is_open,
        tabs=sign_in_tabs("person"),
        portal="公共招聘",
        notice={"kind": "info", "text": "手机上还没有确认，请确认后再继续。"} if state == "scanned" else None,
        picture=QR,
        address="https://login.example.gov.cn/scan/BCDFG-HJKLM",
        minutes=3,
        number="42",
        as_unit=state == "refused",
        links={"state": None, "refresh": "/?refresh", "others": "/sign-in", "switch": "/?switch"},
    )


PAGES["sign-in-scan"] = lambda: sign_in_scan("waiting")
PAGES["sign-in-scan-number"] = lambda: sign_in_scan("scanned")
PAGES["sign-in-scan-refused"] = lambda: sign_in_scan("refused", is_open=False)

SCANNED: dict[str, Any] = {
    "portal": "公共招聘",
    "kind": "person",
    "as_unit": True,
    "device": {"name": "Chrome · Windows", "address": "2001:db8:85a3:8d3:1319:8a2e:370:7348", "begun_at": "09:41"},
}


@page("scan-confirm")
def scan_confirm() -> str:
    form = forms.ScanNumber(MultiDict({"number": "17"}), meta={"csrf": False})
    form.validate()
    return render_template("scan/confirm.html", form=form, login_name="chen_shili", **SCANNED)


@page("scan-sign-in")
def scan_sign_in() -> str:
    return render_template(
        "scan/sign_in.html",
        why="old",
        tab="person",
        methods=[METHODS[0], METHODS[5]],
        sign_in_url="/sign-in",
        **SCANNED,
    )


@page("scan-over")
def scan_over() -> str:
    return render_template("scan/over.html", state="confirmed", happened=None, devices_url="/account-devices")


@page("step-up-sms")
def step_up_sms() -> str:
    return render_template(
        "step_up/sms.html",
        form=forms.OneCode(),
        portal="公共招聘",
        code=SENT,
        phone="138****8000",
        others=WAYS,
        back_url="/raise-level",
    )


@page("raise-level-by-a-factor")
def raise_level_by_a_factor() -> str:
    level = {
        "level": 3,
        "level_name": "三级实名",
        "missing": True,
        "out_of_reach": False,
        "levels": [],
        "by_upstream": [],
    }
    urls = {"resume_url": "/?resume", "give_up_url": "/?give-up"}
    form = forms.PasskeyAnswer()
    return render_template("raise_level/index.html", form=form, portal="公共招聘", further=WAYS, **level, **urls)


UPSTREAMS = [{"title": "省统一身份认证", "added": "2026-11-02", "used": "2026-11-20 09:12", "unlink_url": "/?unlink"}]
CERTIFICATES = [
    {
        "issuer": "广东示例电子认证服务有限公司",
        "serial": "1f3870be274f6c49b3e31a0c6728957f2af31c07",
        "in_hardware": True,
        "expires": "2028-11-02",
        "added": "2026-11-02",
        "used": "2026-11-20 09:12",
        "remove_url": "/?",
    }
]
DOORS = {
    "can_present": True,
    "line": "jingban-certificate https://idp.example sign_in q4Z0cM3mX1o8v5sYtB7nR2kLwEhU6jDfA9gPiVxQTyC",
    "file": "data:text/plain,x",
    "minutes": 10,
}


@page("sign-in-certificate")
def sign_in_certificate() -> str:
    form = forms.CertificateAnswer()
    return render_template(
        "sign_in/certificate.html", form=form, tab="person", portal="公共招聘", doors=DOORS, back_url="/sign-in"
    )


@page("unit-security")
def unit_security() -> str:
    return render_template(
        "unit_account/security.html",
        login_name="u_demo",
        has_password=True,
        certificates=CERTIFICATES,
        certificates_offered=True,
        upstreams=UPSTREAMS,
        told=["*示例"],
        has_contact=True,
        **of_unit(),
    )


def check_of_representative(**changes: Any) -> str:
    usual: dict[str, Any] = {
        "problem": "",
        "again": False,
        "waiting": None,
        "unit": {"name": "江门市示例科技有限公司", "legal_representative": "*未"},
        "business": "失业保险稳岗返还",
        "portal": "人社网办大厅",
    }
    context = usual | changes
    links = Links(state="")
    return render_template("legal_representative/index.html", form=forms.PasskeyAnswer(), links=links, **context)


@page("legal-representative")
def legal_representative() -> str:
    return check_of_representative()


@page("legal-representative-waiting")
def legal_representative_waiting() -> str:
    return check_of_representative(again=True, waiting={"picture": QR, "url": "/?check"})


@page("legal-representative-failed")
def legal_representative_failed() -> str:
    return check_of_representative(again=True, problem="人脸核验未通过。请由法定代表人本人在光线充足处重新认证。")


@page("legal-representative-refused")
def legal_representative_refused() -> str:
    happened = "单位已绑定经办人员，不能以单位账号办理。"
    return render_template("legal_representative/refused.html", happened=happened, portal="人社网办大厅", links=LINKS)


@page("legal-representative-differs")
def legal_representative_differs() -> str:
    differences = [
        {"label": "单位名称", "here": "江门市示例科技有限公司", "register": "江门市示例科技股份有限公司"},
        {"label": "法定代表人", "here": "*未", "register": "*午"},
    ]
    return render_template("legal_representative/differs.html", differences=differences, fixed=False, links=LINKS)


@page("account-security")
def account_security() -> str:
    passkeys = [
        {"id": "pk_1", "name": "办公室电脑", "added": "2026-11-02", "used": "2026-11-20 09:12", "remove_url": "/?"}
    ]
    return render_template(
        "account/security.html",
        login_name="u_7k2m9qdf4x",
        has_password=False,
        phone="138****8000",
        totp={"added": "2026-11-02"},
        codes_left=9,
        passkeys=passkeys,
        passkeys_possible=True,
        certificates=CERTIFICATES,
        upstreams=UPSTREAMS,
        **of_person(),
    )


@page("account-password")
def account_password() -> str:
    form = forms.FirstPassword()
    form.validate_on_submit()
    return render_template("account/password.html", form=form, back_url="/account-security", **of_person())


@page("account-totp")
def account_totp() -> str:
    shown = {"picture": QR, "uri": "otpauth://totp/x", "secret": "AAAA BBBB CCCC DDDD EEEE FFFF GGGG HHHH"}
    return render_template(
        "account/totp.html", form=forms.OneCode(), back_url="/account-security", **shown, **of_person()
    )


@page("account-recovery-codes")
def account_recovery_codes() -> str:
    codes = [f"ABCDE-FGH{n}2" for n in range(10)]
    urls = {"file": "data:text/plain,x", "done_url": "/account-security"}
    return render_template(
        "account/recovery_codes.html", title_text="身份验证器已添加", codes=codes, **urls, **of_person()
    )


@page("account-parents")
def account_parents() -> str:
    requests = [
        {
            "id": "b_9",
            "unit": "中山市示例电器有限公司",
            "code": "9144 2000 **** ***23B",
            "kind": "经办人员",
            "asked_on": "2026-11-18",
            "answer_url": "/answer",
        }
    ]
    bindings = [
        {
            "id": "b_1",
            "unit": "江门市示例人力资源有限公司",
            "code": "9144 0101 **** ***156",
            "kind": "经办人员",
            "since": "2026-03-05",
            "verified": True,
            "businesses": ["公共招聘", "继续教育"],
            "leave_url": "/leave",
        },
        {
            "id": "b_2",
            "unit": "蓬江区示例社区服务中心",
            "code": "1244 0700 **** ***195",
            "kind": "常用联系人",
            "since": "2026-06-21",
            "verified": False,
            "businesses": [],
            "verify_url": "/unit-verification",
            "leave_url": "/leave",
        },
    ]
    notice = {"kind": "success", "text": "已接受广州示例科技有限公司的绑定请求。"}
    return render_template("account/parents.html", requests=requests, bindings=bindings, **of_person(notice=notice))


@page("account-parents-none")
def account_parents_none() -> str:
    return render_template("account/parents.html", requests=[], bindings=[], **of_person())


@page("account-confirm")
def account_confirm() -> str:
    return render_template(
        "account/confirm.html",
        form=forms.PasskeyAnswer(),
        title_text="退出单位",
        nav_id="parents",
        question="确定退出江门市示例人力资源有限公司吗？",
        consequences=["您不能再为该单位办理业务，正在使用的应用会同时退出", "如需恢复，须由单位重新发起绑定"],
        button="退出单位",
        back_url="/account-parents",
        **of_person(),
    )


@page("unit-account")
def unit_account() -> str:
    unit = {
        "name": "江门市示例人力资源有限公司",
        "document_type": "统一社会信用代码",
        "document_number": "91440101MA00000156",
        "seat": "广东省 江门市 蓬江区",
        "legal_representative": "*示例",
        "username": "jm_demo",
        "verified": True,
        "registered_on": "2026-03-05",
        "contact": None,
    }
    return render_template("unit_account/overview.html", unit=unit, **of_unit())


AGENTS = [
    {
        "id": "b_1",
        "name": "*示例",
        "document_number": "440***********001X",
        "phone": "138****8000",
        "kind": "经办人员",
        "state": "active",
        "state_name": "已绑定",
        "businesses": ["公共招聘", "继续教育"],
        "grants_url": "/unit-grants",
        "unbind_url": "/unbind",
        "withdraw_url": None,
    },
    {
        "id": "b_2",
        "name": "*小例",
        "document_number": "810***********0015",
        "phone": "139****9000",
        "kind": "常用联系人",
        "state": "active",
        "state_name": "已绑定",
        "businesses": [],
        "grants_url": "/unit-grants",
        "unbind_url": None,
        "withdraw_url": None,
    },
    {
        "id": "b_3",
        "name": "**例",
        "document_number": "440***********0028",
        "phone": "137****7000",
        "kind": "经办人员",
        "state": "pending",
        "state_name": "待对方确认",
        "businesses": [],
        "grants_url": None,
        "unbind_url": None,
        "withdraw_url": "/withdraw",
    },
]


@page("unit-verification")
def unit_verification() -> str:
    form = forms.AuthorisationCode()
    form.validate_on_submit()
    return render_template(
        "unit_account/verification.html",
        form=form,
        unit={"name": "蓬江区示例社区服务中心", "document_type": "统一社会信用代码", "seat": "广东省江门市蓬江区"},
        number="1244 0700 **** ***195",
        nav_id="parents",
        on_the_way=True,
        back_url="/choose-unit",
        **of_person(),
    )


@page("unit-sub-accounts")
def unit_sub_accounts() -> str:
    requests = [
        {
            "name": "*示例",
            "document_number": "440***********001X",
            "business": "招聘职位管理",
            "asked_on": "2026-11-21",
            "grant_url": "/unit-grants#grant",
            "refuse_url": "/refuse",
        }
    ]
    return render_template(
        "unit_account/sub_accounts.html",
        agents=AGENTS,
        requests=requests,
        page=2,
        pages=3,
        previous_url="/?1",
        next_url="/?3",
        **of_unit(),
    )


@page("unit-sub-accounts-none")
def unit_sub_accounts_none() -> str:
    return render_template(
        "unit_account/sub_accounts.html", agents=[], page=1, pages=1, previous_url=None, next_url=None, **of_unit()
    )


@page("unit-bind")
def unit_bind() -> str:
    form = forms.Bind()
    form.validate_on_submit()
    return render_template("unit_account/bind.html", form=form, **of_unit())


@page("unit-grants")
def unit_grants() -> str:
    form = forms.Grant()
    form.validate_on_submit()
    grants = [
        {
            "business": "公共招聘",
            "text": "职位管理、招聘会报名",
            "valid": "2026-01-01 至 2026-12-31",
            "state": "active",
            "state_name": "有效",
            "withdraw_url": "/withdraw",
        },
        {
            "business": "继续教育",
            "text": "专业技术人员继续教育学时申报",
            "valid": "2025-01-01 至 2025-12-31",
            "state": "expired",
            "state_name": "已到期",
            "withdraw_url": "/withdraw",
        },
    ]
    agent = {"name": "*示例", "document_number": "440***********001X", "kind": "经办人员"}
    return render_template("unit_account/grants.html", form=form, agent=agent, grants=grants, **of_unit())


@page("error")
def error() -> str:
    return render_template(
        "errors/error.html",
        severity="warning",
        headline="单位实名等级不足",
        happened="当前省统一身份认证用户实名等级不足，单位用户最低实名等级为“L3”级，请点击[确认]按钮按照引导提升实名等级",
        todo=["前往省统一身份认证提升等级，完成后会自动返回并继续登录", "改用本平台的单位账号登录"],
        buttons=[{"label": "确认", "url": "/?upgrade", "primary": True}, {"label": "重新登录", "url": "/sign-in"}],
        reference="7f3a-91c2",
    )


@page("error-plain")
def error_plain() -> str:
    return render_template(
        "errors/error.html",
        severity="error",
        headline="找不到这个页面",
        happened="地址可能有误，或页面已经移走。",
        todo=[],
        buttons=[{"label": "返回首页", "url": "/"}],
        reference=None,
    )


@page("sign-out")
def sign_out() -> str:
    return render_template(
        "sign_out/confirm.html",
        form=forms.PasskeyAnswer(),
        person={"name": "*示例"},
        portals=["公共招聘", "继续教育"],
        back_url="/account",
    )


@page("signed-out")
def signed_out() -> str:
    portal = {"name": "公共招聘", "url": "/?portal"}
    return render_template("sign_out/done.html", portal=portal, logout_frames=[], links=LINKS)


def regions() -> Response:
    """Answer region-picker.js: what lies below `parent`."""
    level, below = BELOW.get(request.args["parent"], (None, {}))
    return jsonify(level=level, regions=[{"code": code, "name": name} for code, name in below.items()])


def index() -> str:
    return render_template("pages/catalogue.html", pages=sorted(PAGES))


def create_app() -> Flask:
    """Return the catalogue, one route for each page, under the CSP of the real pages."""
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=None)
    app.config.update(SECRET_KEY="catalogue", BABEL_DEFAULT_LOCALE="zh_Hans")
    app.jinja_env.undefined = StrictUndefined
    Babel(app, locale_selector=lambda: request.args.get("ui_locales", "zh-Hans").replace("-", "_"))
    CSRFProtect(app)
    look.init_app(app)
    app.add_url_rule("/", "index", index)
    app.add_url_rule("/regions", "regions", regions)
    for name, view in PAGES.items():
        app.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])

    @app.after_request
    def content_security(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CSP
        return response

    return app


if __name__ == "__main__":
    create_app().run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 5050)
