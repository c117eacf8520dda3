"""The businesses that units let their agents do here, and what is asked of the provider."""

BUSINESSES = {"rec.position": "职位管理", "rec.company": "单位信息"}
"""Scope to name."""

PERSON_SCOPE = "openid profile"
UNIT_SCOPE = f"openid profile offline_access {' '.join(sorted(BUSINESSES))}"
