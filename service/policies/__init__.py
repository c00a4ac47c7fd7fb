"""Policies of an installation: which versions judge, since when, and by whose decision.

``policyset`` holds those that are judged by together; ``book`` keeps every version, ``inforce`` knows which were in force when,
``register`` holds the installation's files against that, and ``succession`` says how one version follows another.  ``changes`` are
proposed and ``decisions`` taken by two persons; ``record``, ``history``, ``answers`` and ``questions`` tell what there is to see.
"""
