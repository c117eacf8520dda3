"""The blueprint on which every endpoint of the protocol hangs. It is exempt from CSRF checks: clients send no cookie."""

from flask import Blueprint

blueprint = Blueprint("oidc", __name__)
