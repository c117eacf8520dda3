"""The address at which the proxy asks for a digital certificate and passes it on (RFC 9440)."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.flows.at_the_doors import DOOR, PROXY, app, at_the_door, visitor
from tests.flows.inside import ADDRESS, InsideVisitor
from tests.support import rows
from tests.support.authorities import RunningAuthority

__all__ = ["app", "visitor"]


@pytest.mark.parametrize(
    ("environ", "host", "status"),
    [
        ({"REMOTE_ADDR": "192.0.2.11"}, DOOR, 403),
        ({"REMOTE_ADDR": "192.0.2.11", "HTTP_X_FORWARDED_FOR": "192.0.2.10"}, DOOR, 403),
        ({"REMOTE_ADDR": ""}, DOOR, 403),
        (PROXY, "localhost", 403),
        (PROXY, DOOR, 303),
    ],
)
def test_a_header_is_believed_from_the_proxy_alone(
    ca: RunningAuthority, visitor: InsideVisitor, environ: dict[str, str], host: str, status: int
) -> None:
    """RFC 9440 §4: whoever else sets `Client-Cert` made it up; `X-Forwarded-For` makes nobody the proxy."""
    rows.person()
    visitor.get("/sign-in/certificate").submit("certificate", action="present")
    parts = urlsplit(visitor.url)
    answer = visitor.client.get(
        f"{parts.path}?{parts.query}",
        base_url=f"https://{host}",
        headers={"Client-Cert": ca.person().header},
        environ_overrides=environ,
    )
    assert answer.status_code == status
    if status == 403:
        assert "证书不是经本平台的安全网关出示的" in answer.text


def test_the_header_means_nothing_on_other_pages(ca: RunningAuthority, visitor: InsideVisitor) -> None:
    rows.person()
    headers = {"Client-Cert": ca.person().header}
    answer = visitor.client.get("/account", headers=headers, environ_overrides=PROXY)
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize(
    ("header", "said"),
    [(None, "浏览器没有出示证书"), ("", "浏览器没有出示证书"), (":AAAA:", "未能读取证书"), ("\xff", "未能读取证书")],
)
def test_nothing_or_nonsense_presented(visitor: InsideVisitor, header: str | None, said: str) -> None:
    visitor.get("/sign-in/certificate", next="/account/security").submit("certificate", action="present")
    back = at_the_door(visitor, header)
    visitor.get(back.headers["Location"])
    assert (visitor.status, said in visitor.text) == (400, True), visitor.text
    assert "next=/account/security" in visitor.text, "the way on is not lost"


def test_what_was_presented_signs_in_nobody_elses_browser(
    ca: RunningAuthority, app: Flask, visitor: InsideVisitor
) -> None:
    """Who lures a victim to the other address with their own challenge: the way back is the victim's, and no use."""
    rows.person()
    visitor.get("/sign-in/certificate").submit("certificate", action="present")
    back = at_the_door(visitor, ca.person().header).headers["Location"]
    victim = InsideVisitor(app)
    with victim.client.session_transaction() as session:
        session["browser"] = "another"
    assert "本次验证已失效" in victim.get(back).text
    assert victim.client.get_cookie("jingban_session") is None
    assert visitor.get(back).url == f"{ADDRESS}/account"
    visitor.client.delete_cookie("jingban_session")
    assert "本次验证已失效" in visitor.get(back).text
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert len(code) == 43
