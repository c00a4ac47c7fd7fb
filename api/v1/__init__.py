"""Version 1 of the JSON interface: one module a subject, each declaring its operations; thin entries into service/ and store.queries."""
