"""The database: sessions and transactions, encrypted columns, hot statements, signing keys."""
