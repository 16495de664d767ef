"""Moved to gateway.domain.wires."""

from gateway.domain.wires import (
    DEBOUNCE_MS,
    LONGEST_DEBOUNCE_MS,
    LONGEST_OTHER_MS,
    USUAL_DEBOUNCE_MS,
    longest_debounce_ms,
    proves_the_home,
    shows_a_cut,
    usual_debounce_ms,
)

__all__ = [
    "DEBOUNCE_MS",
    "LONGEST_DEBOUNCE_MS",
    "LONGEST_OTHER_MS",
    "USUAL_DEBOUNCE_MS",
    "longest_debounce_ms",
    "proves_the_home",
    "shows_a_cut",
    "usual_debounce_ms",
]
