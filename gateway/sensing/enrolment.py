"""Moved to gateway.domain.enrolment."""

from gateway.domain.enrolment import ADDRESS, KEY_BYTES, LAST_PIN, Radio, Wire

__all__ = ["ADDRESS", "KEY_BYTES", "LAST_PIN", "Radio", "Wire"]
