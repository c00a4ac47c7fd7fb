"""Telling others what was found: webhooks and e-mail digests, at least once, in order, from the outbox.

``config`` says who is told; ``passing`` gives each of them what is owed; ``digests`` writes what goes out by e-mail; ``sending`` hands
it over; ``webhook`` and ``mail`` know how; ``upkeep`` is for those who look after what did not arrive.
"""
