"""One root error; every error says what went wrong to a machine and what to do to a person."""


class AnsimError(Exception):
    """Root of all errors that this project raises on purpose.

    ``reason`` is stable and machine-readable; the text is one sentence that ends with a remedy
    and never holds a secret or anything personal.
    """

    reason: str = "error"

    def __init__(self, sentence: str, *, reason: str | None = None) -> None:
        super().__init__(sentence)
        if reason is not None:
            self.reason = reason


class SettingsError(AnsimError):
    """Raised when a settings file cannot be used: names file, key and remedy in one line."""

    reason = "settings"


class RecordingError(AnsimError):
    """Raised when a recorded home cannot be read: names file, line and remedy."""

    reason = "recording"


class SnapshotError(AnsimError):
    """Raised when an engine snapshot does not fit; the engine is then rebuilt from the journal."""

    reason = "snapshot"


class JournalError(AnsimError):
    """Raised when the journal cannot store or read; nothing was accepted."""

    reason = "journal"


class ModelError(AnsimError):
    """Raised when a model file is missing, damaged or not the one its card names."""

    reason = "model"


class ContractError(AnsimError):
    """Raised when a message does not follow the wire contract."""

    reason = "contract"


class SignatureError(AnsimError):
    """Raised when a signed message is forged, stale, repeated or meant for another hub."""

    reason = "signature"


class CertificateError(AnsimError):
    """Raised when keys or certificates are missing or do not fit together."""

    reason = "certificate"


class SensingError(AnsimError):
    """Raised when a source cannot reach its hardware: the wires, the radio. It is tried again."""

    reason = "sensing"
