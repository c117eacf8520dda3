"""Sample portals. They know the provider only as OpenID Connect clients do: by its address, over HTTP."""
