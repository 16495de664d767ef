"""Why a scene failed, as one error."""

from __future__ import annotations

from gateway.domain.errors import AnsimError


class SceneError(AnsimError):
    """Raised when a scene cannot go on. The sentence is in the language of the viewer."""

    reason = "scene"
