"""The catalogues are complete, hold nothing else, and keep to their words."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural

from idp.i18n import LOCALES
from tests.i18n.words import CJK_PUNCTUATION, HAN, chinese_in, simplified_in
from tests.support.processes import ROOT
from tools import catalogues

FILES = {po.parts[-3]: po for po in catalogues.catalogues(ROOT)}
every_catalogue = pytest.mark.parametrize("locale", FILES)
MEND = "run `make messages`, then translate what it lists"

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|\{\w+\}")
STRAY_PERCENT = re.compile(r"%(?!\(\w+\)[a-z]|%)")

GLOSSARY = {
    "经办人": r"\bagent",
    "常用联系人": r"common contact",
    "子账号": r"sub-account",
    "父账号": r"parent account",
    "单位": r"organisation|acting for|your selection",
    "(?<!对)应用": r"\bapp\b|\bapps\b|\bapp’s\b",
    "实名等级": r"identity level",
    "可信等级": r"trust level",
    "二级实名": r"level 2",
    "统一社会信用代码": r"\bUSCC\b",
    "组织机构代码": r"organisation code",
    "省统一身份认证": r"provincial identity service",
    "银联实名认证": r"UnionPay identity check",
    "授权码": r"authorisation code",
    "授权业务|业务授权|授权的?业务": r"service|authoris",
    "收回|撤回": r"withdraw",
    "短信验证码": r"text message code",
    "法定代表人": r"legal representative",
    "用户名": r"username",
    "手机": r"mobile",
    "服务窗口": r"service counter",
}
"""One word for one thing: what an English string must say where the Chinese one says the left."""

NOT_OURS = (
    *(
        "登錄",
        "賬",
        "信息",
        "短信",
        "簡訊",
        "保存",
        "默認",
        "訪問",
        "網絡",
        "刷新",
        "字符",
        "設置",
        "點擊",
        "屏幕",
        "當前",
    ),
    *("獲取", "咨詢", "撥打", "記錄", "半角", "校驗", "下劃線", "臺灣", "應用軟體", "使用者名稱"),
)
"""Words that a converter leaves behind, or that only one region uses."""


def read(locale: str) -> Catalog:
    """Return a catalogue."""
    return catalogues.read(FILES[locale])


def messages(catalogue: Catalog) -> Iterator[Message]:
    """Return its messages, without the header."""
    return (message for message in catalogue if message.id)


def source(message: Message) -> str:
    """Return the string in the source; where something is counted, it is both msgid and msgid_plural."""
    if isinstance(message.id, str):
        return message.id
    one, many = message.id
    assert one == many
    return str(one)


def forms(message: Message) -> tuple[str, ...]:
    """Return the translation, in each of its plural forms."""
    return (message.string,) if isinstance(message.string, str) else tuple(map(str, message.string or ()))


def pairs(locale: str) -> list[tuple[str, str]]:
    """Return every source string with each form of its translation."""
    return [(source(message), form) for message in messages(read(locale)) for form in forms(message)]


def test_every_language_has_a_catalogue_but_that_of_the_sources() -> None:
    assert set(FILES) == set(LOCALES) - {"zh_Hans"}


def test_the_sources_are_read(sources: Catalog) -> None:
    """In Python, marked for later, counted, and in templates."""
    found = {source(message) for message in messages(sources)}
    assert len(found) > 500
    assert {"单位资料已保存。", "二级实名", "用户名或密码错误，还可尝试 %(left)s 次", "跳到主要内容"} <= found
    assert [text for text in found if not HAN.search(text) and not CJK_PUNCTUATION.search(text)] == []


@every_catalogue
def test_nothing_is_missing_and_nothing_is_left_over(locale: str, sources: Catalog) -> None:
    wanted = {(message.context, message.id) for message in messages(sources)}
    catalogue = read(locale)
    here = {(message.context, message.id) for message in messages(catalogue)}
    assert wanted - here == set(), MEND
    assert here - wanted == set(), MEND
    assert not catalogue.obsolete, MEND


@every_catalogue
def test_everything_is_translated_and_nothing_is_guessed(locale: str) -> None:
    untranslated = [source(message) for message in messages(read(locale)) if catalogues.is_untranslated(message)]
    assert untranslated == []


@every_catalogue
def test_placeholders_agree(locale: str) -> None:
    """Else a page shows a hole, or an error instead of itself."""
    for text, translation in pairs(locale):
        assert Counter(PLACEHOLDER.findall(text)) == Counter(PLACEHOLDER.findall(translation)), text
        assert not STRAY_PERCENT.search(translation), text


@every_catalogue
def test_plural_forms_are_those_of_the_language(locale: str, sources: Catalog) -> None:
    catalogue, right = read(locale), get_plural(locale)
    assert (catalogue.num_plurals, catalogue.plural_expr) == (right.num_plurals, right.plural_expr)
    counted = [message for message in messages(catalogue) if message.pluralizable]
    assert len(counted) == sum(message.pluralizable for message in messages(sources)) > 0
    for message in counted:
        assert len(set(forms(message))) == right.num_plurals, source(message)


@every_catalogue
def test_markup_and_entities_stay_out(locale: str) -> None:
    """A template escapes what it is given; links go in as `%(link)s`."""
    assert [translation for _, translation in pairs(locale) if re.search(r"[<>]|&\w+;", translation)] == []


@every_catalogue
def test_what_ends_a_sentence_ends_it_here(locale: str) -> None:
    """A page's text ends with a full stop where the Chinese does; questions stay questions."""
    for text, translation in pairs(locale):
        if text.endswith("。"):
            assert translation.endswith((".", "。")), text
        if text.endswith("？"):
            assert translation.rstrip().endswith(("?", "？")), text


@pytest.mark.parametrize("locale", ["en"])
def test_english_is_english(locale: str) -> None:
    translations = [translation for _, translation in pairs(locale)]
    assert chinese_in(translations) == []
    assert [text for text in translations if re.search(r"['\"]|  |\.\.\.|please|click", text, re.IGNORECASE)] == []


@pytest.mark.parametrize("term", GLOSSARY)
def test_english_has_one_word_for_one_thing(term: str) -> None:
    # The label above this placeholder names all three; on a phone there is room for a few words only.
    labelled = "请输入手机号 / 身份证号 / 用户名"
    said = [(text, english) for text, english in pairs("en") if re.search(term, text) and text != labelled]
    assert said, "no string has this term any more"
    assert [each for each in said if not re.search(GLOSSARY[term], each[1], re.IGNORECASE)] == []


def test_traditional_is_traditional() -> None:
    for text, translation in pairs("zh_Hant"):
        assert simplified_in(translation) == [], text
        assert [word for word in NOT_OURS if word in translation] == [], text
        assert not re.search(r"[“”‘’'\"]", translation), f"{text}: quotes are 「」"


@every_catalogue
def test_a_file_shows_changes_of_strings_only(locale: str) -> None:
    """No line numbers, dates or versions, which would change with every update."""
    text = Path(FILES[locale]).read_text(encoding="utf-8")
    assert not re.search(r"^#: .*:[0-9]+", text, re.MULTILINE)
    assert not re.search(r"^\"(POT-Creation-Date|PO-Revision-Date|Generated-By)", text, re.MULTILINE)
