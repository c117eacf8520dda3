"""Upstreams: the province's identity system (省统一身份认证), the social-security card, any OpenID provider.

No rule lives here: an adapter says what the upstream vouches for, `idp.federation` decides what follows.
"""

from idp.gateways.province.upstream import (
    Party,
    SubjectKind,
    TripSecrets,
    Upstream,
    UpstreamAccountDisabled,
    UpstreamRefused,
    UpstreamUnavailable,
    Vouched,
)
from idp.gateways.province.wiring import build_upstreams

__all__ = [
    "Party",
    "SubjectKind",
    "TripSecrets",
    "Upstream",
    "UpstreamAccountDisabled",
    "UpstreamRefused",
    "UpstreamUnavailable",
    "Vouched",
    "build_upstreams",
]
