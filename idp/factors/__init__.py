"""Further factors of a person: SMS codes, an authenticator app with recovery codes, passkeys."""
