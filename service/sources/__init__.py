"""Client systems: what each is, asking it, and what becomes of its records.

``definitions`` reads their files (``file`` says what one may hold, ``schema`` says it to editors) and ``trial`` tries one out.  ``pull``
asks page by page, with ``turn`` (one asks at a time), ``ahead`` (the next page meanwhile) and ``sweeps`` (what has vanished); ``pushed``
takes what comes by itself.  ``records`` and ``taking`` turn records into events; ``refused`` and ``rejects`` keep what could not be taken
in.  ``health`` and ``quiet`` say who has fallen silent, and whom that concerns.
"""
