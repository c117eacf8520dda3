"""A page that differs between browsers by secrets alone is rendered once; whoever comes gets it with their own.

The page of sign-in, as it is first shown, takes a third of a sign-in's time beside the password.
"""

import re
from collections.abc import Callable, Hashable

from flask import current_app

_EXTENSION = "jingban.kept_pages"
_MOST = 500
_SECRET = re.compile(r"[\w.-]{20,}", re.ASCII)


def kept(key: Hashable, secrets: tuple[str, ...], render: Callable[[], str]) -> str:
    """Return what `render` returns, from memory where the page of this `key` was rendered before.

    `key` names everything that the page depends on, but for `secrets`: texts made at random, which mean nothing in
    HTML and in addresses, and which stand in the place of others' here. Raises ValueError for what is no such text.
    """
    if not all(_SECRET.fullmatch(secret) for secret in secrets):
        raise ValueError("a secret of a kept page is 20 letters or more that nothing escapes")
    pages: dict[Hashable, str] = current_app.extensions.setdefault(_EXTENSION, {})
    page = pages.get(key)
    if page is None:
        page = render()
        for place, secret in enumerate(secrets):
            page = page.replace(secret, _mark(place))
        if len(pages) >= _MOST:
            pages.clear()
        pages[key] = page
    for place, secret in enumerate(secrets):
        page = page.replace(_mark(place), secret)
    return page


def _mark(place: int) -> str:
    return f"\0{place}\0"  # NUL stands in no page
