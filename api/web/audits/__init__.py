"""Pages about audits: start one, follow it, read and sign its report, compare two, make them on a schedule."""
