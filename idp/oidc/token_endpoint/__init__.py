"""The token endpoint (RFC 6749 §3.2): authenticate, claim, decide, issue, audit.

Everything after authentication is one transaction, begun by the claim: a conditional UPDATE that exactly one of many
parallel requests wins. One module a grant type; Authlib chooses among them.
"""
