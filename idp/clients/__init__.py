"""OIDC clients (portals): registration, look-up, secrets, and what users have consented to."""
