"""Words for money."""


def salary(lowest: int | None, highest: int | None) -> str:
    """Return a monthly salary in words: 面议, 8000元/月, 8000–12000元/月."""
    if lowest is None or highest is None:
        return "面议"
    if lowest == highest:
        return f"{lowest}元/月"
    return f"{lowest}–{highest}元/月"
