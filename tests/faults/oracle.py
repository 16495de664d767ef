"""Who was lost, who came twice, who was invented: the hub's journal against the centre's store.

Nothing here is guessed. *Pressed and acknowledged* is what the hub itself answered on its control
socket; *accepted* is what stands in its journal once it has ended; *delivered* is what stands in
the store of the centre. Pure: rows come in, a verdict goes out; ``books`` reads the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

MOST_NAMED = 5
"""Cases of one kind that a verdict names; all are counted."""


class Version(NamedTuple):
    """One version of one alert, as both sides store it. ``said``: all else that both sides hold of
    it, as one text; None where a side has its number but no longer what it said."""

    alert_id: str
    version: int
    level: int
    open: bool
    said: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What it is counted by."""
        return self.alert_id, self.version

    def same(self, other: Version) -> bool:
        """Whether both tell the same."""
        unsaid = self.said is None or other.said is None
        return self[:4] == other[:4] and (unsaid or self.said == other.said)


class HubBook(Struct, frozen=True):
    """What a hub's journal holds.

    ``alerts``    every version; ``subjects`` by alert id of a call for help, its button
    ``waiting``   (alert id, version) without the centre's receipt
    ``stranded``  of those, the ones that no outbox holds: they would never be sent
    ``pressed``   how often each help button's press is in the history
    """

    alerts: tuple[Version, ...]
    subjects: dict[str, str]
    waiting: frozenset[tuple[str, int]] = frozenset()
    stranded: frozenset[tuple[str, int]] = frozenset()
    pressed: Counter[str] = Counter()


class CentreBook(Struct, frozen=True):
    """What the centre's store holds about one hub, after its removal of duplicates by id.

    ``alerts``    every version; one number twice where it came with two contents
    ``messages``  distinct message ids that brought alert versions
    ``notices``   how often a town's channel was told of each (alert id, version) in one content
    ``gaps``      numbers of a lane that never came and that nobody has settled
    """

    alerts: tuple[Version, ...]
    messages: int
    notices: Counter[tuple[str, int]] = Counter()
    gaps: int = 0


class Ledger(Struct):
    """What the hub acknowledged: button -> alert id, and the presses whose answer never came."""

    acknowledged: dict[str, str] = {}
    unanswered: set[str] = set()


class Verdict(Struct):
    """Figures of one or more runs. All but ``accepted`` and the counts of what was done must be 0.

    ``accepted``   alert versions in the journals
    ``presses``    presses that the hub acknowledged
    ``lost``       accepted or acknowledged, and not at the centre as the journal has it
    ``doubled``    delivered twice: a press with two alerts, a version under two message ids, a
                   town told twice
    ``forged``     at the centre, but in no journal with this content
    ``unopened``   journals that did not open, or had to be set aside
    ``replayed``   sensor frames of before that were taken for life afterwards
    """

    accepted: int = 0
    presses: int = 0
    lost: int = 0
    doubled: int = 0
    forged: int = 0
    unopened: int = 0
    replayed: int = 0
    cases: list[str] = []

    @property
    def bad(self) -> int:
        """How much went wrong."""
        return self.lost + self.doubled + self.forged + self.unopened + self.replayed

    def add(self, other: Verdict) -> None:
        """Take another run's figures in."""
        for name in ("accepted", "presses", "lost", "doubled", "forged", "unopened", "replayed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.cases += other.cases

    def count(self, kind: str, cases: Iterable[object]) -> None:
        """Add cases of one kind, the first of them by name."""
        found = sorted(map(str, cases))
        setattr(self, kind, getattr(self, kind) + len(found))
        self.cases += [f"{kind}: {case}" for case in found[:MOST_NAMED]]


def account(ledger: Ledger, hub: HubBook, centre: CentreBook) -> Verdict:
    """Match every press and every alert at the hub with exactly one at the centre.

    A version with another content at the centre counts twice: what the hub accepted is lost, and
    what the centre has instead is forged.
    """
    verdict = Verdict(accepted=len(hub.alerts), presses=len(ledger.acknowledged))
    here = {one.key: one for one in hub.alerts}
    there = [one for one in centre.alerts if one.level >= 1]
    came = {one.key for one in there}
    due = {key for key, one in here.items() if one.level >= 1}
    true = {one.key for one in there if one.key in due and here[one.key].same(one)}

    verdict.count("lost", due - came)
    verdict.count("lost", [f"{key}: only another content came" for key in due & came - true])
    verdict.count("lost", [f"stranded {key}" for key in hub.stranded])
    known = {one.alert_id for one in hub.alerts}
    for button, alert_id in ledger.acknowledged.items():
        if alert_id not in known:
            verdict.count("lost", [f"acknowledged press of {button}: {alert_id}"])
    verdict.count("lost", [f"gap {number}" for number in range(centre.gaps)])

    verdict.count(
        "forged", [one.key for one in there if one.key not in due or not here[one.key].same(one)]
    )

    buttons = {*ledger.acknowledged, *ledger.unanswered}
    ids = Counter(s for s in hub.subjects.values() if s in buttons)
    verdict.count("doubled", [f"alerts of {button}: {n}" for button, n in ids.items() if n > 1])
    unsaid = [b for b, n in hub.pressed.items() if b in buttons and n and not ids[b]]
    verdict.count("lost", [f"press of {button} without an alert" for button in unsaid])
    doubles = max(0, centre.messages - len(there))
    verdict.count("doubled", [f"message {number} too many" for number in range(doubles)])
    verdict.count("doubled", [f"notice {key}" for key, n in centre.notices.items() if n > 1])
    return verdict
