"""What every sample portal needs: signing in with the provider, sessions, tokens, pages for problems, the look.

A portal brings its businesses, its tables and its pages, and wires them with `portal.assemble`.
"""
