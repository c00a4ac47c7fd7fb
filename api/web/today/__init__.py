"""The first page: what needs somebody today, each figure a way into the list that shows exactly these."""
