"""The authorization endpoint (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2) and the dispatcher of its interactions.

A request runs through `parse` → `checks` → `needs` → `issue` → `respond`. Whatever a person has to do happens in
journeys elsewhere; each of them returns to the dispatcher (`views.resume`), which asks the needs anew.
"""
