"""How an authorization request ends: at the portal's address, or, for a device, on a page of ours.

A device fetches its answer itself (RFC 8628 §3.4); the person in front of this browser only learns that it is done.
"""

from http import HTTPStatus

from flask import redirect, url_for
from werkzeug.wrappers import Response

from idp.oidc.authorize import issue, respond
from idp.oidc.authorize.situation import Situation
from idp.oidc.errors import OAuth2Error
from idp.oidc.session_management import session_state


def granted(situation: Situation) -> Response:
    """Issue what was granted, and answer. Raises what `issue` raises."""
    device_id = situation.request.device
    if device_id is None:
        request = situation.request
        state = session_state(request.client_id, request.redirect_uri, situation.subject)
        return respond.with_code(situation.reply_to, issue.code(situation), state)
    issue.to_device(situation, device_id)
    return redirect(url_for("device.done"), HTTPStatus.SEE_OTHER)


def refused(situation: Situation, error: OAuth2Error) -> Response:
    """Close the request with an error, and answer. Raises what `issue` raises."""
    issue.refusal(situation, error)
    if situation.request.device is None:
        return respond.with_error(situation.reply_to, error)
    return redirect(url_for("device.refused"), HTTPStatus.SEE_OTHER)
