"""Whatever is done to a journal, in whatever order and however often it is reopened: it holds what
a few lists in memory would hold."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway.domain.alert import Alert, Level
from gateway.domain.decisions import Decisions, Summary
from gateway.domain.instant import Instant
from gateway.domain.observation import (
    AnswerState,
    Booted,
    CentreAnswered,
    Heard,
    HubFault,
    Measured,
    Observation,
    PauseEnded,
    PauseStarted,
    Pressed,
    Quantity,
    SourceChanged,
    Switched,
    VisitEnded,
    VisitStarted,
    What,
)
from gateway.journal import Journal
from tests.support.journals import (
    alert,
    alerting,
    opened,
    receive,
    receive_records,
    summary,
    summing,
)

NAMES = st.sampled_from(["s1", "s2", "help", "거실", ""])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)
INSTANTS = st.builds(Instant, st.sampled_from(["b1", "b2", "b3"]), NUMBERS, NUMBERS, st.booleans())
WHATS: st.SearchStrategy[What] = st.one_of(
    st.builds(Switched, NAMES, st.booleans(), st.booleans()),
    st.builds(Pressed, NAMES),
    st.builds(Measured, NAMES, st.sampled_from(Quantity), NUMBERS),
    st.builds(Heard, NAMES),
    st.builds(SourceChanged, NAMES, st.booleans(), st.text(st.characters(codec="utf-8"))),
    st.builds(Booted, st.just("1.0"), st.just("kill"), st.none() | INSTANTS),
    st.builds(HubFault, NAMES, st.booleans()),
    st.builds(PauseStarted, NUMBERS),
    st.builds(PauseEnded),
    st.builds(VisitStarted, NAMES),
    st.builds(VisitEnded, NAMES),
    st.builds(CentreAnswered, NAMES, st.sampled_from(AnswerState)),
)
SAID = st.tuples(WHATS, INSTANTS, st.none() | st.integers(0, 2**63 - 1))


class JournalMachine(RuleBasedStateMachine):
    """A journal beside its model."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.journal: Journal = opened(self.folder)
        self.observations: list[Observation] = []
        self.counters: dict[str, int] = {}
        self.alerts: list[Alert] = []  # of the alert lane, in order
        self.notes: list[Alert | Summary] = []  # of the record lane, in order
        self.received: set[tuple[str, int]] = set()
        self.records = 0

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            shutil.rmtree(self.folder)

    @rule(said=st.lists(SAID, max_size=6))
    def observe(self, said: list[tuple[What, Instant, int | None]]) -> None:
        first = len(self.observations) + 1
        new = [Observation(first + n, at, what, c) for n, (what, at, c) in enumerate(said)]
        self.journal.commit(new)
        self.observations += new
        for observation in new:
            sensor = getattr(observation.what, "sensor", "")
            if sensor and observation.counter is not None:
                self.counters[f"sensor:{sensor}"] = observation.counter

    @rule(
        name=st.sampled_from("abcd"),
        version=st.integers(1, 4),
        level=st.sampled_from(Level),
        twice=st.booleans(),
    )
    def alarm(self, name: str, version: int, level: Level, *, twice: bool) -> None:
        made = alert(name, version, level)
        self.journal.commit(decisions=alerting(made, made) if twice else alerting(made))
        stored = [a for a in (*self.alerts, *self.notes) if isinstance(a, Alert)]
        if not any((a.id, a.version) == (made.id, made.version) for a in stored):
            (self.alerts if level else self.notes).append(made)

    @rule(start=st.integers(0, 3), events=st.integers(0, 1))
    def summarise(self, start: int, events: int) -> None:
        made = summary(start * 600.0, events=events)
        self.journal.commit(decisions=summing(made))
        if made not in self.notes:
            self.notes.append(made)

    @rule(name=st.sampled_from("abcdx"), version=st.integers(0, 5))
    def receive(self, name: str, version: int) -> None:
        alert_id = alert(name).id
        stored = [a for a in (*self.alerts, *self.notes) if isinstance(a, Alert)]
        known = any((a.id, a.version) == (alert_id, version) for a in stored)
        waits = known and (alert_id, version) not in self.received
        assert receive(self.journal, alert_id, version) is waits
        if known:
            self.received.add((alert_id, version))

    @rule(up_to=st.integers(-1, 12))
    def receive_records(self, up_to: int) -> None:
        receive_records(self.journal, up_to)
        if self.records < up_to <= len(self.notes):
            self.records = up_to

    @rule(again=st.integers(1, 5))
    def repeat(self, again: int) -> None:
        """The same work once more, as after a kill between commit and answer."""
        self.journal.commit(
            self.observations[-again:],
            [Decisions(alerts=tuple(self.alerts[-again:]))],
        )

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.journal = opened(self.folder)
        assert self.journal.recovered is None

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "journal"):
            return
        assert list(self.journal.observations()) == self.observations
        assert self.journal.last_sequence == len(self.observations)
        for sensor in ("s1", "s2", "help", "거실"):
            assert self.journal.counter(f"sensor:{sensor}") == self.counters.get(f"sensor:{sensor}")
        waits = [
            (n, a)
            for n, a in enumerate(self.alerts, start=1)
            if (a.id, a.version) not in self.received
        ]
        waits.sort(key=lambda pair: (-pair[1].level, pair[0]))
        assert [(r.sequence, r.message) for r in self.journal.waiting("alert")] == waits
        assert [(r.sequence, r.message) for r in self.journal.waiting("record")] == list(
            enumerate(self.notes, start=1)
        )[self.records :]


JournalMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestJournal = JournalMachine.TestCase
