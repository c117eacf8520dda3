"""No page of the provider is left untranslated, in either language, wherever a journey leads."""

import re
from urllib.parse import urlsplit

import pytest

from tests.flows.inside import InsideVisitor
from tests.i18n.scenes import DATA, SCENES, World
from tests.i18n.words import Words, chinese_in, simplified_in, without

every_scene = pytest.mark.parametrize("name", SCENES)


def reach(world: World, name: str, lang: str) -> InsideVisitor:
    """Play a scene in a language, and make sure that it ends where it should."""
    world.lang = lang
    found, wanted = SCENES[name].act(world), SCENES[name]
    path = re.escape(wanted.path).replace("…", "[^/]+")
    assert re.fullmatch(path, urlsplit(found.url).path), found.url
    assert found.status == wanted.status, found.text
    return found


@every_scene
def test_english_pages_hold_no_chinese(world: World, name: str) -> None:
    """But for names of people, units and places, and the language switch, whose parts say what they are."""
    words = Words(reach(world, name, "en").text)
    assert words.lang == "en"
    assert chinese_in(without(words.found, DATA)) == []


@every_scene
def test_traditional_pages_hold_no_simplified_character(world: World, name: str) -> None:
    words = Words(reach(world, name, "zh-Hant").text)
    assert words.lang == "zh-Hant"
    assert "統一身份認證平台" in "".join(words.found)
    assert simplified_in("".join(without(words.found, DATA))) == []


def test_a_forgotten_word_would_be_found() -> None:
    """What the two tests above rest on."""
    page = (
        '<html lang="en"><p aria-label="关闭">Sign in，now<br>登录</p><a lang="zh-Hans" title="简体中文">简</a></html>'
    )
    assert chinese_in(Words(page).found) == ["关闭", "Sign in，now", "登录"]
    assert simplified_in("登录帳號") == ["录"]
