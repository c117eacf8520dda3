"""The blueprint of the protocol, on which every endpoint hangs. Exempt from CSRF checks: clients send no cookie."""

from flask import Blueprint

blueprint = Blueprint("oidc", __name__)
