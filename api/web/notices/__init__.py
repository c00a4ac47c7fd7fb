"""The page about messages to others: who is told, how that goes, and what was given up."""
