"""A simulated week from a home to the centre and back, through a real broker, for anybody to see.

It starts the broker, the hub and the centre as programs of their own, plays four scenes and reads
the verdict from the centre's database and nowhere else.
"""
