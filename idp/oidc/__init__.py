"""The protocol: OAuth 2.0 and OpenID Connect endpoints. HTTP is parsed and answered here; rules live below."""
