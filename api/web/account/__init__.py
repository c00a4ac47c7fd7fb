"""A person's own account: where they are signed in, and ending it elsewhere."""
