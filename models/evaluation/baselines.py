"""The published methods through the interface that the engine is measured by, and as curves.

A detector at one knob takes a pass of its own. A ``Curve`` is one pass for all knobs; that both
come to the same is tested.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import inf, nextafter
from sys import float_info
from types import MappingProxyType

from msgspec import Struct

from gateway.domain.observation import Observation, Switched
from gateway.domain.sensor import Kind
from gateway.engine.evidence import is_activity
from gateway.engine.stopping import ROWS, STEP
from models.evaluation.measure import Result, hours_late, result
from models.evaluation.methods import Cuddihy, Fixed, FloeckLitz, Method, Moshtaghi
from models.evaluation.trial import Home, Trial

BASELINES: Mapping[str, Callable[[], Method]] = MappingProxyType(
    {"fixed": Fixed, "cuddihy": Cuddihy, "floeck-litz": FloeckLitz, "moshtaghi": Moshtaghi}
)
SERVICES = (8.0, 12.0, 24.0)
"""Hours after which services in use alarm."""


class Row(Struct, frozen=True):
    """A method at a knob on all homes. ``budget`` in false alarms a home-month is what the knob
    was chosen for; None where it was fixed beforehand."""

    name: str
    knob: float
    budget: float | None
    results: tuple[Result, ...]


class _Told:
    """Tells a method of each activity in a home."""

    def __init__(self, home: Home, method: Method) -> None:
        self._sensors = {sensor.id: sensor for sensor in home.sensors}
        self._offset = home.utc_offset * 60.0
        self._method = method

    def take(self, observation: Observation) -> bool:
        """Whether it was an activity."""
        what = observation.what
        if not isinstance(what, Switched) or not is_activity(self._sensors[what.sensor], what):
            return False
        sensor = self._sensors[what.sensor]
        entrance = sensor.kind is Kind.ENTRANCE
        self._method.moved(observation.at.wall + self._offset, sensor.room, entrance)
        return True


class AtKnob:
    """A method as a detector that alarms at the first score to reach ``knob``, once a silence."""

    def __init__(self, home: Home, method: Method, knob: float) -> None:
        self._told = _Told(home, method)
        self._method = method
        self._knob = knob
        self._moved: float | None = None
        self._next: float | None = None
        self._asked = True

    def step(self, observation: Observation) -> Sequence[float]:
        wall = observation.at.wall
        alarms: tuple[float, ...] = ()
        if self._moved is not None and wall - self._moved > STEP:
            due = self._due()
            if due is not None and due < wall:
                alarms, self._next = (due,), None
        if self._told.take(observation):
            self._moved, self._asked = wall, False
        return alarms

    def alone(self, cut: float, until: float) -> float | None:  # noqa: ARG002 - nobody answers it
        due = self._due()
        return due if due is not None and due <= until else None

    def _due(self) -> float | None:
        """The alarm of the present silence unless it was raised; scored once, when asked for."""
        if not self._asked and self._moved is not None:
            self._next = _alarm(self._moved, self._method.scores(), self._knob)
            self._asked = True
        return self._next


def _alarm(began: float, scores: array[float], knob: float) -> float | None:
    row = bisect_left(scores, knob)
    return began + (row + 1) * STEP if row < ROWS else None


class Curve(Struct, frozen=True, dict=True):
    """All that a method's alarms and delays in a trial depend on, whatever the knob.

    ``scores`` are those of silence ``i``; of the silences that count or hold a cut.
    """

    trial: Trial
    person: str
    cuts: tuple[float, ...]
    scores: Mapping[int, array[float]]

    @cached_property
    def peaks(self) -> list[float]:
        """The highest score of each silence that counts before it ended, sorted: it was a false
        alarm for every knob up to that."""
        found = []
        for index, scores in self.scores.items():
            if self.trial.counts(index):
                began, ended = self.trial.moves[index : index + 2]
                rows = bisect_left(range(ROWS), ended, key=lambda j: began + (j + 1) * STEP)
                if rows and scores[rows - 1] > -inf:
                    found.append(scores[rows - 1])
        return sorted(found)

    def at(self, knob: float) -> Result:
        """What ``measure.run`` says of the method as a detector at this knob."""
        moves = self.trial.moves
        alarmed: dict[int, float] = {}
        for index, scores in self.scores.items():
            if self.trial.counts(index):
                alarm = _alarm(moves[index], scores, knob)
                if alarm is not None and alarm < moves[index + 1]:
                    alarmed[index] = alarm
        delays = []
        for cut in self.cuts:
            index = self.trial.silence(cut)
            delays.append(hours_late(_alarm(moves[index], self.scores[index], knob), cut))
        return result(self.trial, alarmed, delays, self.cuts, person=self.person)


def curve(trial: Trial, method: Method, cuts: Sequence[float], *, person: str) -> Curve:
    """Lead a new method through a home once."""
    moves = trial.moves
    wanted = {trial.silence(cut) for cut in cuts}
    for index in range(len(moves) - 1):
        if moves[index + 1] - moves[index] > STEP and trial.counts(index):
            wanted.add(index)
    told = _Told(trial.home, method)
    scores: dict[int, array[float]] = {}
    index = -1
    for observation in trial.home.observations:
        if told.take(observation):
            index += 1
            if index in wanted:
                scores[index] = method.scores()
    return Curve(trial, person, tuple(cuts), scores)


def sweep(
    trial: Trial,
    method: Method,
    cuts: Sequence[float],
    knobs: Sequence[float] | None = None,
    *,
    person: str,
) -> list[tuple[float, Result]]:
    """The trade-off of a method in one home; by default at every knob that changes the number of
    false alarms, from the earliest alarms to the fewest."""
    whole = curve(trial, method, cuts, person=person)
    return [(knob, whole.at(knob)) for knob in (_turns(whole.peaks) if knobs is None else knobs)]


def _turns(peaks: Sequence[float]) -> list[float]:
    """The lowest knob of all, and those just above each false alarm's highest score."""
    return sorted({-float_info.max, *(nextafter(peak, inf) for peak in peaks)})


def best(curves: Sequence[Curve], budget: float) -> float:
    """The knob of the earliest alarms whose false alarms over all homes' months together keep to
    ``budget`` a home-month; infinite where none does, because of alarms that no knob prevents.

    It is chosen on the very homes that are evaluated. That is mild towards the baselines: who
    sets a knob beforehand does not know it.
    """
    peaks = sorted(peak for one in curves for peak in one.peaks)
    allowed = int(budget * sum(one.trial.months for one in curves) + 1e-9)
    return nextafter(peaks[-allowed - 1], inf) if allowed < len(peaks) else -float_info.max


def baselines(
    trials: Sequence[Trial],
    cuts_by_home: Mapping[str, Sequence[float]],
    budgets: Sequence[float],
    *,
    persons: Mapping[str, str] = MappingProxyType({}),
    progress: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Fixed 8, 12 and 24 h, then each method with its best knob for each budget (false alarms a
    home-month).

    ``persons`` says who lives in a home where that is not a person of its own. ``progress`` hears
    of each method that is done.
    """
    rows: list[Row] = []
    for name, method in BASELINES.items():
        curves = []
        for one in trials:
            home = one.home.name
            curves.append(curve(one, method(), cuts_by_home[home], person=persons.get(home, home)))
        if method is Fixed:
            for hours in SERVICES:
                rows.append(Row(f"fixed {hours:.0f} h", hours, None, _at(curves, hours)))
        for budget in budgets:
            knob = best(curves, budget)
            rows.append(Row(name, knob, budget, _at(curves, knob)))
        progress(name)
    return rows


def _at(curves: Sequence[Curve], knob: float) -> tuple[Result, ...]:
    return tuple(one.at(knob) for one in curves)
