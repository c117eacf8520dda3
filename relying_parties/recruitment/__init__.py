"""公共招聘服务平台: people look for jobs, and units' agents publish them (R1, R2, R4, R5, R7).

Shows what a portal does whose users act for organisations: it signs people in for themselves or for a unit, keeps
one session for each, calls its own API with tokens that name both, and shuts a unit's session the moment the
provider says so.
"""
