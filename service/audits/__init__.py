"""Audits: every case in scope judged as of one instant, counted into a report that never changes.

``runs`` starts, lists and reads them, and ``schedules`` starts them by the calendar; ``work`` is what a worker does with the cases, with
``check`` (does what is stored agree), ``prints`` (a digest of each case) and ``tally`` (the counts); ``ending`` tells the news.
``report``, ``document`` and ``shape`` make the report; ``words``, ``page`` and ``exports`` show it; ``signoffs`` says who has read it;
``compare`` says what changed between two.
"""
