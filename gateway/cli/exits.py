"""Exit codes of every ``ansim`` command but ``status``, whose codes are those of a verdict."""

from __future__ import annotations

from enum import IntEnum

from gateway.domain.errors import (
    AnsimError,
    CertificateError,
    JournalError,
    ModelError,
    RecordingError,
    SettingsError,
)


class Exit(IntEnum):
    """``docs/commands.md`` explains them to people."""

    OK = 0
    FAILED = 1
    USAGE = 2
    SETTINGS = 3
    INPUT = 4
    JOURNAL = 5
    INTERRUPTED = 130  # 128 + SIGINT
    PIPE = 141  # 128 + SIGPIPE


_CODES: tuple[tuple[type[AnsimError], Exit], ...] = (
    (SettingsError, Exit.SETTINGS),
    (CertificateError, Exit.SETTINGS),
    (ModelError, Exit.SETTINGS),
    (RecordingError, Exit.INPUT),
    (JournalError, Exit.JOURNAL),
)


def exit_code(error: AnsimError) -> Exit:
    """The code of a known error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.FAILED)
