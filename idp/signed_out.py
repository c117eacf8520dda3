"""The page after a sign-out: it signs the portals out in the browser too, then goes on.

A portal's address is loaded in a frame of its own. The page goes on when all have answered, and at the latest after
some seconds, so a dead portal delays nobody; whoever does not want to wait has a link.

Without JavaScript the browser goes on by itself, too, unless a portal is dead: whether in the header or in the page,
browsers count a refresh from the moment when all frames have loaded, and load frames at once even where a page asks
for lazy ones. Then the link is the way, and it is the one button of the page.
"""

from collections.abc import Mapping, Sequence

from flask import make_response, render_template, url_for
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response

from idp import web
from idp.rules.origins import origin_of

REFRESH_SECONDS = 5
"""Without JavaScript the browser goes on by itself so long after the frames have loaded."""


def page(
    *, frames: Sequence[str] = (), portal: Mapping[str, str] | None = None, onwards: str | None = None
) -> Response:
    """Say that the person is signed out. `frames` are the portals' addresses (Front-Channel Logout 1.0 §3).

    `portal` {name, url} is a way back to choose; `onwards` is where the page goes by itself.
    """
    web.allow_frames(origin_of(each) for each in frames)
    response = make_response(
        render_template(
            "sign_out/done.html",
            signed_in=None,
            portal=portal,
            onwards=onwards,
            logout_frames=frames,
            links={"sign_in": url_for("sign_in.page")},
        )
    )
    if onwards is not None:
        response.headers["Refresh"] = f"{REFRESH_SECONDS}; url={iri_to_uri(onwards)}"
    return response
