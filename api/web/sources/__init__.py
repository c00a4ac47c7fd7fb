"""The pages about sources: how each stands, what it refused, trying it again, and what the mapping makes of its first records."""
