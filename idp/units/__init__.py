"""Units (单位): registration, data, verification, and the regions they sit in."""
