"""Backtests: the cases on record judged by a proposed version of a policy beside the one in force.

``runs`` starts, lists and reads them; ``work`` is what a worker does with the cases, ``tally`` counts; ``report`` makes the report,
``words`` and ``page`` show it.
"""
