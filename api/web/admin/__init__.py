"""The pages of administration: accounts, roles, teams and offices, API keys, sign-in settings, and the access log."""
