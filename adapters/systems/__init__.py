"""One module a client system; each declares ``KIND``.  A new system is one new file here."""
