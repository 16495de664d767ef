"""What a hub has learned about one home: bounded, JSON-able, and never widened by bad hours.

Everything here is local time in seconds (wall + the home's offset), so that ``local % 86400`` is
the time of day. Day 0 is 1970-01-01, a Thursday.

Order matters: when an activity ends a silence, call ``start`` and ``silence`` first (the habits
still stand at the event before), then ``event``.
"""

from __future__ import annotations

from math import exp, isfinite

from msgspec import Struct, field

from gateway.domain.sensor import Room
from gateway.engine.profile import DOOR, HALVES, ROOM_INDEX, Day, Gap, Profile, usual
from gateway.engine.stopping import FIRST, STEP, Outlook

DAY = 86_400
SLOT = 300
SLOTS = 36
"""Recent activity is counted in five-minute slots: 36 numbers for three hours."""
HALF_HOUR = 1_800
KEEP_DAYS = 60
"""Days of own history. KEPCO's service looks back as far (S10); the kernel's fade of 45 days makes
anything older weigh less than a quarter."""
LONGEST = 48 * 3600
"""Seconds: a longer silence is an outage or a journey, not a habit."""
SHORTEST_GAP = 1_200
"""Seconds: shorter silences say nothing about long ones and would crowd them out."""
KEEP_GAPS = 800
"""About 13 a day for 60 days; bounds the snapshot at some 20 kB and the kernel at 0.2 ms."""
DOORSTEP = 60.0
"""Seconds between an entrance event and the last event within which the silence is held to begin
at the door (docs/detection.md: better than "the last event is the door")."""
FADE_DAYS = 45.0
FOUR_HOURS = 14_400
BLOCKS = 12
"""Six four-hour blocks inside the home, the same six at the door."""
WIDENING = 1.10
"""T15: what is told may come at most a tenth later than in any of the weeks before."""
REMEMBERED_WEEKS = 4
LEARNING_DAYS = 14
"""Days without a widening bound: the personal model is only being made (R22)."""
KEEP_TOLD = 8
"""Absences whose judgement is still waited for; an older one is never learned."""


class SilenceStart(Struct, frozen=True):
    """The last event before a silence, and what stood around it.

    ``since_entrance``  seconds from the last entrance event to that event; None without one
    ``recent_30min``    activity events in the half hour before it, itself included
    """

    local: float
    room: Room
    since_entrance: float | None = None
    recent_30min: int = 1
    recent_3h: int = 1
    seated: bool = False
    """Whether a bed or a seat was taken: a silence there is another one than on the floor."""

    @property
    def at_door(self) -> bool:
        """Whether somebody may just have gone out."""
        return (
            self.since_entrance is not None and self.since_entrance <= DOORSTEP and not self.seated
        )

    @property
    def place(self) -> int:
        """Index of the room that the habits file this silence under."""
        return DOOR if self.at_door else ROOM_INDEX[self.room]


class Calibration(Struct):
    """How many silences ended in each block, and how many the network expected to end there."""

    ended: list[float] = field(default_factory=lambda: [0.0] * BLOCKS)
    expected: list[float] = field(default_factory=lambda: [0.0] * BLOCKS)


class Bounds(Struct):
    """The latest ``ask`` and ``tell`` (seconds) of each block in each of the last weeks."""

    week: int = 0
    ask: list[list[float]] = field(default_factory=lambda: [[0.0] * BLOCKS])
    tell: list[list[float]] = field(default_factory=lambda: [[0.0] * BLOCKS])


class Told(Struct, array_like=True, frozen=True):
    """An absence that ended by itself, and the alert by which the centre had been told of it."""

    alert: str
    gap: Gap


class Habits(Struct):
    """All learned state of one home."""

    entrance: float | None = None
    slot: int = -1
    today: int = -1
    count: int = 0
    recent: list[tuple[int, int]] = field(default_factory=list)
    seen: int = 0
    """Days on which there was any activity, ever: how long we have been here."""
    days: list[Day] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    profile: Profile = field(default_factory=Profile)
    calibration: Calibration = field(default_factory=Calibration)
    bounds: Bounds = field(default_factory=Bounds)
    told: list[Told] = field(default_factory=list)

    def event(self, local: float, room: Room, entrance: bool) -> None:  # noqa: ARG002
        """An activity event. Called for each of them, so it does next to nothing; which ``room``
        it was in only matters once a silence follows."""
        slot = int(local) // SLOT
        if slot != self.slot:
            self._roll(slot)
        self.count += 1
        if entrance:
            self.entrance = local
            self.days[-1].entrances += 1

    def start(self, local: float, room: Room, seated: bool = False) -> SilenceStart:
        """The silence that began with the last event, which was at ``local`` in ``room``."""
        since = None if self.entrance is None else max(0.0, local - self.entrance)
        half_hour = three_hours = self.count
        for slot, count in self.recent:
            age = self.slot - slot
            if 0 <= age <= SLOTS:
                three_hours += count
                if age <= 6:
                    half_hour += count
        return SilenceStart(local, room, since, half_hour, three_hours, seated)

    def silence(
        self, start: SilenceStart, ended: float, learn: bool, outlook: Outlook | None = None
    ) -> None:
        """A silence of at least ten minutes ended at ``ended``.

        ``learn`` False: alerted, blind, visited or paused hours (T15) change nothing at all.
        ``outlook`` is the one made for this silence, if it lasted long enough to have one; it
        teaches the calibration and the widening bound.
        """
        length = ended - start.local
        if not learn or not isfinite(length) or not 0.0 < length <= LONGEST:
            return
        self._mark(start.local, ended)
        if length >= SHORTEST_GAP:
            self._keep(_gap(start, length))
        if outlook is not None:
            self._calibrate(start, length, outlook.hazards)
            self._remember(start, outlook)

    def absence(self, start: SilenceStart, ended: float, alert: str) -> None:
        """An absence of which ``alert`` told the centre ended by itself. It teaches nothing unless
        somebody finds that it was one: see ``was_away``."""
        length = ended - start.local
        if start.at_door and isfinite(length) and SHORTEST_GAP <= length <= LONGEST:
            self.told.append(Told(alert, _gap(start, length)))
            del self.told[:-KEEP_TOLD]

    def was_away(self, alert: str) -> None:
        """The centre closed ``alert`` as an absence of somebody who is well. A person says so, no
        silence: so this may be learned, and who is away each weekend need not be told of each."""
        for told in [told for told in self.told if told.alert == alert]:
            self.told.remove(told)
            self._keep(told.gap)

    def factors(self) -> list[float]:
        """What the network's cumulative hazard is multiplied with, by block: a Gamma posterior
        worth 20 silences around this home's overall factor, itself worth 20 around one."""
        ended, expected = self.calibration.ended, self.calibration.expected
        overall = (sum(ended) + 20.0) / (sum(expected) + 20.0)
        return [(n + 20.0 * overall) / (e + 20.0) for n, e in zip(ended, expected, strict=True)]

    def latest(self, start: SilenceStart) -> tuple[float, float]:
        """Seconds after which stages 1 and 2 may not come this week (T15); infinite at first."""
        if self.seen <= LEARNING_DAYS:
            return float("inf"), float("inf")
        index = block(start.local, 0.0, start.at_door)
        limits = []
        for weeks in (self.bounds.ask, self.bounds.tell):
            latest = max((week[index] for week in weeks[:-1]), default=0.0)
            limits.append(latest * WIDENING if latest > 0.0 else float("inf"))
        return limits[0], limits[1]

    def _keep(self, gap: Gap) -> None:
        self.gaps.append(gap)
        del self.gaps[:-KEEP_GAPS]

    def _roll(self, slot: int) -> None:
        """A new five-minute slot has begun."""
        if self.count:
            self.days[-1].events += self.count
            self.recent.append((self.slot, self.count))
        self.recent = [kept for kept in self.recent if 0 <= slot - kept[0] <= SLOTS]
        self.slot, self.count = slot, 0
        number = slot * SLOT // DAY
        if number != self.today:
            self._turn(number)
        longest = self.days[-1].longest
        half = slot * SLOT // HALF_HOUR % HALVES
        longest[half] = max(longest[half], 0)

    def _turn(self, number: int) -> None:
        """A new day has begun with its first event: draw up what is usual, forget what is old."""
        now = [day for day in self.days[-1:] if day.number == number]
        self.days = [day for day in self.days if day.number != number][-KEEP_DAYS:]
        self.gaps = [gap for gap in self.gaps if _is_kept(number - gap.start // 1440)]
        self.profile = usual(self.days, self.gaps)
        self.days.append(now[0] if now else Day(number, [-1] * HALVES))
        self.today = number
        self.seen += 1
        fade = exp(-1.0 / FADE_DAYS)
        self.calibration.ended = [value * fade for value in self.calibration.ended]
        self.calibration.expected = [value * fade for value in self.calibration.expected]
        if number // 7 != self.bounds.week:
            self.bounds.week = number // 7
            for weeks in (self.bounds.ask, self.bounds.tell):
                weeks.append([0.0] * BLOCKS)
                del weeks[: -REMEMBERED_WEEKS - 1]

    def _mark(self, began: float, ended: float) -> None:
        """Write a silence into the half hours that it covered, yesterday's too."""
        rows = {day.number: day for day in self.days[-3:]}
        for half in range(int(began) // HALF_HOUR, -int(-ended // HALF_HOUR)):
            number = half // HALVES
            row = rows.get(number)
            if row is None:
                if not self.days or number < self.days[-1].number:
                    continue
                row = rows[number] = Day(number, [-1] * HALVES)
                self.days.append(row)
            stood = int(min(ended, (half + 1) * HALF_HOUR) - began) // 60
            row.longest[half % HALVES] = max(row.longest[half % HALVES], stood)

    def _calibrate(self, start: SilenceStart, length: float, hazards: tuple[float, ...]) -> None:
        """Count an ending where it came, and what was expected on the way there."""
        rows = min(len(hazards), int(length // STEP))
        if rows <= FIRST:
            return
        index = 0
        for row in range(FIRST, rows):
            index = block(start.local, (row + 1) * STEP, start.at_door)
            self.calibration.expected[index] += hazards[row]
        self.calibration.ended[index] += 1.0

    def _remember(self, start: SilenceStart, outlook: Outlook) -> None:
        index = block(start.local, 0.0, start.at_door)
        bounds = ((self.bounds.ask, outlook.ask_after), (self.bounds.tell, outlook.tell_after))
        for weeks, after in bounds:
            if after is not None and after > weeks[-1][index]:
                weeks[-1][index] = after


def _gap(start: SilenceStart, length: float) -> Gap:
    return Gap(int(start.local) // 60, int(length) // 60, start.place, start.seated)


def _is_kept(age: int) -> bool:
    """Whether a silence this many days old still counts. A difference of more than a year is no
    age but a clock that jumped (R17): habits are not forgotten over it."""
    return age <= KEEP_DAYS or age > 366


def block(local: float, silence: float, at_door: bool) -> int:
    """Which of the twelve calibrated blocks a moment lies in."""
    return int((local + silence) % DAY) // FOUR_HOURS + (6 if at_door else 0)
