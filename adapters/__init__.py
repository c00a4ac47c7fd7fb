"""Client systems and files as case events: one module a system, one protocol, one mapping language."""
