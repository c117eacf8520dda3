"""Persons (自然人): who they are, how they proved it, and the login names that persons and units share."""
