"""`jingban demo`: the whole system on one machine, with fictional data to try."""
