"""Somebody hears every frame, has no key, and may do what he likes: nothing he plays is life.

The hub commits, fails to commit, is stopped and is killed at any moment. What he may do is deliver
a frame that the hub never heard (jamming: ``gateway.security.frames``), once.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.security.frames import AHEAD_MOST
from tests.support.bthome_frames import OTHER_KEY
from tests.support.bthome_hub import Hub, motion, payload

OBJECTS = st.sampled_from(["2101", "2101", "2101", "2100", "0161"])
PICK = st.integers(0, 2**16)
SECONDS = st.sampled_from([0.5, 30.0, 700.0, 7200.0, 90_000.0])


class Home(RuleBasedStateMachine):
    """One motion sensor, one hub, one attacker."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.counter = 0
        self.air: list[bytes] = []
        """Every frame the sensor ever sent, heard by the hub or not."""
        self.heard: set[bytes] = set()
        """What the hub heard, in this run or in one of which it was kept."""
        self.kept: set[bytes] = set()
        self.flying: set[bytes] = set()

    # -- the sensor ------------------------------------------------------------------------------

    @rule(objects=OBJECTS, step=st.sampled_from([1, 1, 1, 1, 2, 70, 5000]), jammed=st.booleans())
    def the_sensor_sends(self, objects: str, step: int, jammed: bool) -> None:
        frame = self.send(objects, step)
        if not jammed:
            self.deliver(frame)

    @rule(count=st.integers(1, 40), prompt=st.booleans())
    def the_sensor_is_busy(self, count: int, prompt: bool) -> None:
        """``prompt``: the disk is fast; else the commits come late."""
        self.technician()
        for _ in range(count):
            self.deliver(self.send("2101", 1))
            if prompt and self.hub.asked and not self.hub.committing:
                self.commit()

    # -- the attacker ----------------------------------------------------------------------------

    @precondition(lambda self: self.air)
    @rule(pick=PICK)
    def he_plays_a_frame(self, pick: int) -> None:
        self.play(self.air[-1 - pick % len(self.air)])

    @precondition(lambda self: self.air)
    @rule(count=st.integers(1, 8))
    def he_plays_the_last_ones(self, count: int) -> None:
        for frame in self.air[-count:]:
            self.play(frame)

    @precondition(lambda self: self.air)
    @rule(first=PICK, count=st.integers(2, 30))
    def he_plays_an_hour(self, first: int, count: int) -> None:
        begin = first % len(self.air)
        for frame in self.air[begin : begin + count]:
            self.play(frame)

    @precondition(lambda self: self.air)
    @rule(pick=PICK, bit=PICK)
    def he_flips_a_bit(self, pick: int, bit: int) -> None:
        frame = bytearray(self.air[pick % len(self.air)])
        frame[bit // 8 % len(frame)] ^= 1 << bit % 8
        self.nothing(bytes(frame))

    @rule(ahead=st.integers(-50, 50), data=st.binary(min_size=0, max_size=20))
    def he_makes_frames_up(self, ahead: int, data: bytes) -> None:
        counter = max(0, self.counter + ahead)
        for frame in (
            b"\x44" + payload(counter),
            motion(counter, key=OTHER_KEY),
            motion(counter)[:-4] + b"false",
            b"\x45" + data,
            data,
        ):
            self.nothing(frame)

    # -- the hub ---------------------------------------------------------------------------------

    @rule(seconds=SECONDS)
    def time_goes_by(self, seconds: float) -> None:
        self.hub.wait(seconds)

    @precondition(lambda self: not self.hub.committing)
    @rule()
    def a_commit(self) -> None:
        self.commit()

    @precondition(lambda self: not self.hub.committing)
    @rule()
    def a_commit_begins(self) -> None:
        self.begin()

    @precondition(lambda self: self.hub.committing)
    @rule()
    def it_is_on_disk(self) -> None:
        self.finish()

    @precondition(lambda self: self.hub.committing)
    @rule()
    def the_disk_refuses(self) -> None:
        self.hub.fail()

    @rule(away=SECONDS)
    def the_plug_is_pulled(self, away: float) -> None:
        self.hub.kill(away)
        # What counted is remembered also if it never reached the disk: that is the mark's work.
        self.heard = set(self.kept) | set(self.hub.life)

    @rule(away=SECONDS)
    def the_hub_is_restarted(self, away: float) -> None:
        self.hub.stop(away)
        self.kept = set(self.heard)

    # -- what must hold --------------------------------------------------------------------------

    @invariant()
    def no_frame_counts_twice(self) -> None:
        assert all(times == 1 for times in self.hub.life.values())

    @invariant()
    def what_is_in_doubt_has_a_bound(self) -> None:
        last, mark = (self.hub.disk.get(f"frame:{name}:hall") for name in ("last", "reserve"))
        assert last is None or mark is None or mark - last <= AHEAD_MOST

    # -- how -------------------------------------------------------------------------------------

    def send(self, objects: str, step: int) -> bytes:
        self.counter += step
        frame = motion(self.counter, objects)
        self.air.append(frame)
        return frame

    def technician(self) -> None:
        """Comes if need be, and sees to it that the sensor itself sends the next frame."""
        if self.hub.aside():
            self.hub.rearm()
            self.deliver(self.send("2101", 1))
            assert not self.hub.aside()

    def begin(self) -> None:
        self.flying = set(self.heard)
        self.hub.begin()

    def finish(self) -> None:
        self.kept |= self.flying
        self.hub.finish()

    def commit(self) -> None:
        self.begin()
        self.finish()

    def deliver(self, frame: bytes) -> None:
        self.hub.hear(frame)
        self.heard.add(frame)

    def play(self, frame: bytes) -> None:
        """A real frame, out of its time: life only if the hub could not have heard it before."""
        known = frame in self.heard
        before = self.hub.life[frame]
        self.deliver(frame)
        assert not known or self.hub.life[frame] == before

    def nothing(self, frame: bytes) -> None:
        """A frame that the sensor never sent, unless it was made by chance."""
        if frame in self.air:
            return
        before, aside = self.hub.life.total(), self.hub.aside()
        assert self.hub.hear(frame) is None
        assert self.hub.life.total() == before
        assert self.hub.aside() is aside


class Batteries(RuleBasedStateMachine):
    """Batteries are changed and the sensor begins at nought, with the same key. What is promised
    then: an old frame is refused, or it is found out at the sensor's own next one."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub(prompt=True)
        self.counter = 0
        self.battery = 0
        self.air: list[tuple[int, bytes]] = []
        self.fooled = False
        for _ in range(20):
            self.send()

    @rule(count=st.integers(1, 30))
    def the_sensor_sends(self, count: int) -> None:
        for _ in range(count):
            self.hub.wait(20.0)
            self.send()
            if self.fooled:
                assert self.hub.aside(), "found out at the next frame"
                self.fooled = False

    @rule(pick=PICK, of=PICK)
    def he_plays_frames(self, pick: int, of: int) -> None:
        begin = pick % len(self.air)
        for battery, frame in self.air[begin : begin + 1 + of % 5]:
            before = self.hub.life.total()
            self.hub.hear(frame)
            if self.hub.life.total() > before:
                assert battery < self.battery, "a frame of this battery never counts again"
                self.fooled = True
            if self.hub.aside():
                self.fooled = False

    @rule(empty=st.integers(0, 3))
    def the_battery_is_changed(self, empty: int) -> None:
        """Some frames of the new one are sent before the technician is there."""
        if self.fooled:
            return
        self.battery += 1
        self.counter = 0
        for _ in range(empty):
            self.send()
        self.a_technician_comes()

    @rule()
    def a_technician_comes(self) -> None:
        self.hub.rearm()
        self.fooled = False
        for _ in range(20):  # until the sensor is past what was heard while it was set aside
            self.send()
            if not self.hub.aside():
                break

    @rule()
    def the_plug_is_pulled(self) -> None:
        self.hub.commit()
        self.hub.kill()

    def send(self) -> None:
        self.counter += 1
        frame = motion(self.counter, f"01{self.battery % 100:02x}2101")
        self.air.append((self.battery, frame))
        self.hub.hear(frame)


class Peace(RuleBasedStateMachine):
    """Nobody attacks: every movement counts, but for the first ever and those after a pulled plug."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.counter = 0
        self.sent = 0
        self.mute = 0
        """Frames that need not count: of a first meeting, or in doubt after a pulled plug."""
        self.send(1)
        self.mute = 1

    @rule(step=st.integers(1, 300), count=st.integers(1, 30))
    def the_sensor_sends(self, step: int, count: int) -> None:
        for _ in range(count):
            self.send(step)

    @rule(seconds=SECONDS)
    def time_goes_by(self, seconds: float) -> None:
        self.settle()
        self.hub.wait(seconds)

    @rule(away=SECONDS)
    def the_hub_is_restarted(self, away: float) -> None:
        self.hub.stop(away)

    @rule(away=SECONDS)
    def the_plug_is_pulled(self, away: float) -> None:
        self.settle()
        mark = self.hub.disk["frame:reserve:hall"]
        self.hub.kill(away)
        mute = 0
        while True:
            before = self.hub.life.total()
            self.send(1)
            self.hub.commit()
            if self.hub.life.total() > before:
                break
            mute += 1
            assert self.counter <= mark
        self.mute += mute
        assert mute <= AHEAD_MOST

    @rule()
    def a_commit(self) -> None:
        self.settle()

    def settle(self) -> None:
        self.hub.commit()
        self.every_movement_counts()

    def every_movement_counts(self) -> None:
        assert self.hub.life.total() == self.sent - self.mute
        assert not self.hub.aside()
        assert True not in self.hub.faults("replay")

    def send(self, step: int) -> None:
        self.counter += step
        self.sent += 1
        self.hub.hear(motion(self.counter))
        if self.hub.asked:  # at once, as the hub does
            self.hub.commit()


TestHome = Home.TestCase
TestHome.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestBatteries = Batteries.TestCase
TestBatteries.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestPeace = Peace.TestCase
TestPeace.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
