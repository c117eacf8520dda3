"""Browser sessions, the sessions of portals that hang on them, what was authorised in them, and sign-in itself."""
