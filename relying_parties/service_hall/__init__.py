"""网办大厅: what units do with the human-resources department online, 失业保险稳岗返还 first of all (U18, F3).

Shows what a portal does that takes a unit's own account for one business and agents for all: it asks the provider for
that business alone when it is wanted, and its API looks at audience, scope, capacity and level of a token.
"""
