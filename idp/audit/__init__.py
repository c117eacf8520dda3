"""The audit: append-only entries, chained by hash."""
