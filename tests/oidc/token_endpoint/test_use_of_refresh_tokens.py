"""What presenting a refresh token is, by the clock (trap 2 of DESIGN 3)."""

import pytest

from idp.oidc.token_endpoint.refresh_token import Presented, Use

NOW = 1_000_000
LATER = NOW + 3_600_000


def presented(used_at: int | None, *, successor_used: bool = False, sibling_used: bool = False) -> Presented:
    return Presented(LATER, used_at, successor_used, sibling_used)


@pytest.mark.parametrize("used_at", [NOW - 1, NOW, NOW + 5])
def test_without_grace_a_used_token_is_reuse_whatever_the_clocks_say(used_at: int) -> None:
    """A request that read its clock before another one's use was written is no retry."""
    assert presented(used_at).use(NOW, grace=0) is Use.REUSE


@pytest.mark.parametrize(
    ("used_at", "expected"),
    [(None, Use.FIRST), (NOW + 5, Use.RETRY), (NOW - 9_999, Use.RETRY), (NOW - 10_000, Use.REUSE)],
)
def test_grace_counts_from_the_first_use(used_at: int | None, expected: Use) -> None:
    assert presented(used_at).use(NOW, grace=10_000) is expected


def test_grace_ends_with_the_use_of_a_successor_or_sibling() -> None:
    assert presented(NOW - 1, successor_used=True).use(NOW, grace=10_000) is Use.REUSE
    assert presented(None, sibling_used=True).use(NOW, grace=10_000) is Use.REUSE


def test_expired_is_expired_and_no_reuse() -> None:
    assert Presented(NOW, NOW - 5_000, successor_used=True, sibling_used=True).use(NOW, grace=0) is Use.EXPIRED
