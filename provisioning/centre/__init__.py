"""The reference centre: receives, stores, answers, watches over the hubs and tells the towns.

It is complete enough to run a small city on, and small enough to be read by the programmer of a
city's own platform beside ``docs/centre.md``.
"""
