"""One TOML file -> typed, checked settings; and the last good copy for when it is damaged."""

from gateway.settings.last_good import Loaded, Stamp, changed, load_for_run, placed, stamp
from gateway.settings.read import DEFAULT, fingerprint, load
from gateway.settings.types import Settings

__all__ = [
    "DEFAULT",
    "Loaded",
    "Settings",
    "Stamp",
    "changed",
    "fingerprint",
    "load",
    "load_for_run",
    "placed",
    "stamp",
]
