"""Signing in with a password: persons, units, the lock after five, and parallel guesses (P8, P9, U6)."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from playwright.sync_api import expect

from tests.journeys import pages
from tests.journeys.conftest import OpenWindow
from tests.journeys.window import Window
from tests.journeys.world import World
from tests.support.visitor import Visitor

WRONG = "Wrong-Owl0"
AT_ONCE = 12


def test_a_person_signs_in_by_each_of_their_names(window: Window, world: World) -> None:
    """P8: login name in any case, phone, document number."""
    who = world.registered()
    window.go("/account")
    window.is_at("/sign-in")
    window.reads("密码连续错误5次后账号将被锁定1小时")
    window.look("sign-in")
    for name in (who.login.upper(), who.phone, who.document):
        pages.sign_in(window, name, who.password)
        window.is_at("/account")
        window.follow("退出")
        window.look("sign-out")
        window.press("退出登录")
        window.reads("您已安全退出")
        window.look("signed-out")
        window.go("/account")
        window.is_at("/sign-in")


def test_a_unit_signs_in_on_its_own_tab(window: Window, world: World) -> None:
    """U6: by login name or number. The tabs are for their own kind of account only."""
    unit = world.unit_of()
    window.go("/sign-in")
    pages.sign_in(window, unit.login, unit.password)
    window.reads("用户名或密码错误，还可尝试 4 次")
    window.follow("单位登录")
    window.reads("密码连续错误5次后账号将被锁定1小时")
    window.look("sign-in-unit")
    pages.sign_in(window, unit.uscc, unit.password)
    window.is_at("/unit")
    window.reads("尚未绑定经办人员", "尚未设置常用联系人")
    window.look("unit-new")


def test_five_wrong_passwords_lock_for_an_hour(window: Window, world: World) -> None:
    """P9: each failure says how many tries are left; the name typed stays; then even the right one is refused."""
    who = world.registered()
    window.go("/sign-in")
    for left in (4, 3, 2, 1):
        pages.sign_in(window, who.login, WRONG)
        window.reads(f"用户名或密码错误，还可尝试 {left} 次")
        assert window.values("username", "password") == {"username": who.login, "password": ""}
    window.look("sign-in-wrong")
    for password in (WRONG, who.password):
        pages.sign_in(window, who.login, password)
        window.reads("密码连续错误5次，账号已被锁定1小时，请于 60 分钟后再试")
    window.look("sign-in-locked")


def test_the_lock_counts_the_account_and_not_its_names(window: Window, open_window: OpenWindow, world: World) -> None:
    """P9: five tries are five, whichever name is typed and from whichever browser. Others are not locked."""
    who, other = world.registered(), world.registered()
    for name, left in ((who.login, 4), (who.phone, 3), (who.document, 2)):
        stranger = open_window()
        stranger.go("/sign-in")
        pages.sign_in(stranger, name, WRONG)
        stranger.reads(f"还可尝试 {left} 次")
    pages.sign_in_person(window, other)


def test_a_right_password_ends_the_row(window: Window, world: World) -> None:
    """P9: five in a row."""
    who = world.registered()
    for _ in range(2):
        window.go("/sign-in")
        for left in (4, 3, 2, 1):
            pages.sign_in(window, who.login, WRONG)
            window.reads(f"还可尝试 {left} 次")
        pages.sign_in(window, who.login, who.password)
        window.is_at("/account")
        window.page.context.clear_cookies()


def test_an_unknown_name_is_answered_like_a_wrong_password(window: Window, world: World) -> None:
    """P9: nobody learns which names exist, until the lock and after."""
    answers = []
    for name in (world.registered().login, world.someone().login):
        window.go("/sign-in")
        for _ in range(6):
            pages.sign_in(window, name, WRONG)
            expect(window.page.get_by_role("alert")).to_be_visible()
            answers.append((name, window.page.get_by_role("alert").inner_text()))
    known, unknown = ([text for _, text in answers[start : start + 6]] for start in (0, 6))
    assert known == unknown
    assert "已被锁定1小时" in known[4]


def test_parallel_guesses_are_held_to_the_limit(world: World) -> None:
    """P9, DESIGN 8: of twelve guesses at once, by different processes of the provider, five are looked at."""
    who = world.registered()
    address = f"{world.stack.issuer}/sign-in"
    gate = Barrier(AT_ONCE)

    def guess(number: int) -> str:
        visitor = Visitor()
        visitor.http.headers["X-Forwarded-For"] = f"2001:db8:1:{number:x}::1"
        visitor.get(address)
        gate.wait(30)
        return visitor.submit("password", username=who.login, password=WRONG).text

    with ThreadPoolExecutor(AT_ONCE) as pool:
        texts = list(pool.map(guess, range(AT_ONCE)))
    told = Counter(re.search(r"还可尝试 \d 次|已被锁定1小时", text)[0] for text in texts)  # type: ignore[index]
    looked_at = {f"还可尝试 {left} 次": 1 for left in (4, 3, 2, 1)}
    assert told == looked_at | {"已被锁定1小时": AT_ONCE - len(looked_at)}
    right = Visitor()
    right.get(address).submit("password", username=who.login, password=who.password)
    assert "已被锁定1小时" in right.text


def test_the_page_that_asked_comes_after_sign_in(window: Window, world: World) -> None:
    """P8: nobody has to find their way back; an address of another site is not followed."""
    who = world.registered()
    window.go("/account/devices")
    window.is_at("/sign-in")
    pages.sign_in(window, who.login, who.password)
    window.is_at("/account/devices")
    window.reads("本机")
    window.look("devices")
    window.page.context.clear_cookies()
    window.go("/sign-in?next=//elsewhere.example/")
    pages.sign_in(window, who.login, who.password)
    window.is_at("/account")
