"""The pages about retention: how long cases are kept, what may go, what was removed, and legal holds."""
