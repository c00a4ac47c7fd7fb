"""Signing in with an organisation's account: what the pages ask, how it is answered, and the routes."""
