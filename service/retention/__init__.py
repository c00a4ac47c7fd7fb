"""Retention: what may be removed when, removing it in portions, and the certificate of what was removed."""
