"""The hazard network on the hub: loads the model file, and proves it before it is trusted."""

from gateway.inference.card import Card, read_card
from gateway.inference.network import CARD, MODEL, HazardNetwork, load

__all__ = ["CARD", "MODEL", "Card", "HazardNetwork", "load", "read_card"]
