"""The tokens: what stands in them (DESIGN 4), how they are signed, and how our own are read again."""
