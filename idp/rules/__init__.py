"""Pure decisions: what is a valid number, name or password, what a level allows, what is masked. No I/O, no clock."""
