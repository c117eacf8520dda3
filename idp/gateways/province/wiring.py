"""Builds the upstreams from an operator's settings."""

from collections.abc import Iterable

from idp.gateways.province.oauth2 import ProvinceOAuth2
from idp.gateways.province.oidc import GenericOidc
from idp.gateways.province.upstream import Upstream
from idp.settings import UpstreamSetting


def build_upstreams(configured: Iterable[UpstreamSetting], timeout: float = 3.0) -> dict[str, Upstream]:
    """Return the adapters by name, in the order of the settings. Raises ValueError for an address."""
    return {each.name: _adapter(each, timeout) for each in configured}


def _adapter(each: UpstreamSetting, timeout: float) -> Upstream:
    secret = each.client_secret.get_secret_value()
    if each.protocol == "oidc":
        return GenericOidc(each.name, each.issuer, each.client_id, secret, timeout)
    return ProvinceOAuth2(each.name, each.base_url, each.client_id, secret, timeout)
