"""Which centre processes are there (R10)."""

from __future__ import annotations

MOST = 16
"""Centre processes remembered; a town has one to three. Bounds what a broker can make us hold."""


class Centres:
    """The last verified word of each centre process.

    A centre never heard of counts as there: a broker that lost its retained messages must not
    make a hub hold anything back. All of it only ever slows resending down; an alert's first
    sending never waits for a centre.
    """

    def __init__(self) -> None:
        self._online: dict[str, bool] = {}

    @property
    def there(self) -> bool:
        """True while one centre is online, or while none was ever heard of."""
        return not self._online or any(self._online.values())

    @property
    def known(self) -> dict[str, bool]:
        """Whether each known centre is online, by its id."""
        return dict(self._online)

    def heard(self, centre: str, online: bool) -> bool:
        """Take a verified state; True if with it the centre came back for us."""
        before = self.there
        if centre in self._online or len(self._online) < MOST:
            self._online[centre] = online
        return self.there and not before

    def forgotten(self, centre: str) -> None:
        """The retained state of a centre was cleared. That message cannot be signed, so it is
        believed only where it cannot hold anything back: forgetting an online centre would."""
        if not self._online.get(centre, True):
            del self._online[centre]
