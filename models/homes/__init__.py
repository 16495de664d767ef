"""Homes that nobody lives in: a seeded generator in the format of recorded homes.

>>> from models.homes import Plan, generate
>>> home = generate(Plan(seed=7, kind="night-worker", days=30, collapse=20 * 24 + 14.5))
"""

from gateway.sensing.recording import load
from models.homes.home import GeneratedHome, generate, write
from models.homes.people import KINDS
from models.homes.plan import Plan

__all__ = ["KINDS", "GeneratedHome", "Plan", "generate", "load", "write"]
