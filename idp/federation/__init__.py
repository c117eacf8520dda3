"""Signing in with an upstream (F1–F4): trips there and back, links to accounts, first logins.

An account over there is known again by its stable id and by nothing else. What may follow when there is no link yet
is decided in `arrival`; the reasons stand in docs/levels.md.
"""
