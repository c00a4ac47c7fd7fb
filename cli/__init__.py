"""`duecare ...`: thin entries into service/ and rules/.

A command module imports click alone at its top, and the rest where it is used, so that starting stays fast.
"""
