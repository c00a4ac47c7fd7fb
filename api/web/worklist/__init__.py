"""The work list: the breaches that somebody looks through, acts on and takes away as a file."""
