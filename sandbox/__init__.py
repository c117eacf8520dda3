"""Stand-ins for the outside world: real HTTP servers with their own small state and error modes.

They know nothing of the provider and import nothing from it; the contract is HTTP. Each subpackage is one outside
system and offers `create_app(api_key, seed) -> Flask`. State lives in memory and survives nothing.
`python -m sandbox` starts them; `sandbox.serving.Server` runs one inside a test.
"""
