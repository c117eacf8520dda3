"""How fast is the provider, beside a peer on the same machine? `make bench`; figures: docs/performance.md."""
