"""Every refusal of the domain has a sentence, and every sentence can be formed from what the refusal carries."""

import importlib
import pkgutil
import re

import pytest
from flask import Flask

import idp
from idp.errors import DomainError
from idp.gateways import GatewayRefused, GatewayUnavailable
from idp.messages import _COMPOSED, PERSON_DOCUMENTS, SENTENCES, UNIT_DOCUMENTS, sentence
from idp.notify.sms_codes import SmsCodeTooSoon, SmsCodeWrong
from idp.rules.documents import PersonDocument, UnitDocument
from idp.rules.documents.errors import DocumentOtherKind, UsccLength
from idp.rules.passwords import PasswordPoint, PasswordPolicy, PasswordRefused
from idp.sessions.sign_in import WrongCredentials
from idp.sessions.throttle import TooManyFailures


def _subclasses(of: type[DomainError]) -> set[type[DomainError]]:
    return {of} | {each for kind in of.__subclasses__() for each in _subclasses(kind)}


def every_error() -> list[type[DomainError]]:
    """Return DomainError and everything below it, from all modules of `idp`."""
    for module in pkgutil.walk_packages(idp.__path__, "idp."):
        if not module.name.startswith("idp.demo") and module.name != "idp.__main__":
            importlib.import_module(module.name)
    ours = (kind for kind in _subclasses(DomainError) if kind.__module__.startswith("idp."))
    return sorted(ours, key=lambda kind: kind.__qualname__)


ERRORS = every_error()


def test_there_are_errors_to_walk() -> None:
    assert len(ERRORS) > 50


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__qualname__)
def test_every_code_has_a_sentence(kind: type[DomainError]) -> None:
    composed = any(issubclass(kind, each) for each in _COMPOSED)
    assert composed or kind.code in SENTENCES, f"{kind.__module__}.{kind.__qualname__}: no sentence for {kind.code!r}"


def test_no_sentence_is_without_its_code() -> None:
    """A code that is gone leaves no sentence behind."""
    codes = {kind.code for kind in ERRORS}
    assert set(SENTENCES) - codes == set()


def test_codes_are_stable_names() -> None:
    assert all(re.fullmatch("[a-z][a-z0-9_]*", kind.code) for kind in ERRORS)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WrongCredentials(3), "用户名或密码错误，还可尝试 3 次"),
        (TooManyFailures(60), "密码连续错误5次，账号已被锁定1小时，请于 60 分钟后再试"),
        (SmsCodeWrong(left=2), "短信验证码错误，还可尝试 2 次"),
        (SmsCodeTooSoon(seconds=42), "验证码发送过于频繁，请于 42 秒后重新获取"),
        (UsccLength(length=17), "统一社会信用代码应为 18 位，当前为 17 位"),
        (DocumentOtherKind(kind=PersonDocument.PASSPORT), "该号码是护照的号码，请改选证件类型"),
        (GatewayUnavailable("unionpay", "tls"), "银联核验服务暂时不可用，您填写的内容已保留，请稍后重试"),
        (GatewayRefused("sms", "number_blocked"), "短信无法发送到该手机号，请核对手机号或更换手机号"),
        (GatewayUnavailable("of the future", "tls"), "相关服务暂时不可用，请稍后重试"),
        (
            PasswordRefused((PasswordPoint.TOO_SHORT, PasswordPoint.RUN), PasswordPolicy()),
            "密码不能少于 8 位；密码不能有超过 4 个键盘相邻或连续的字符（如 asdfg、12345）",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, DomainError) else "",
)
def test_facts_stand_in_the_sentence(app: Flask, error: DomainError, text: str) -> None:
    with app.test_request_context():
        assert sentence(error) == text


def test_every_point_of_a_password_has_words(app: Flask) -> None:
    with app.test_request_context():
        text = sentence(PasswordRefused(tuple(PasswordPoint), PasswordPolicy()))
    assert len(text.split("；")) == len(PasswordPoint)


def test_every_kind_of_document_has_a_name() -> None:
    assert set(PERSON_DOCUMENTS) == set(PersonDocument)
    assert set(UNIT_DOCUMENTS) == set(UnitDocument)
