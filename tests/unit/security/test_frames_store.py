"""What of the guards goes to disk, with which commit."""

from __future__ import annotations

from gateway.security.frame_store import FrameGuards
from gateway.security.frames import AHEAD_LEAST, FRESH, HELD, IN_DOUBT, Reason, Refused


class Disk:
    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.asked = 0
        self.guards = self.start()

    def start(self) -> FrameGuards:
        self.guards = FrameGuards(
            [("hall", True), ("bath", True), ("plain", False)],
            self.counters.get,
            hurry=self._hurry,
        )
        return self.guards

    def _hurry(self) -> None:
        self.asked += 1

    def commit(self) -> dict[str, int]:
        marks = self.guards.marks(0.0)
        self.counters.update(marks)
        self.guards.stored()
        return marks

    def hear(self, sensor: str, counter: int) -> object:
        verdict = self.guards[sensor].judge(counter, b"", 0.0)
        self.guards.look(sensor)
        return verdict


def test_only_what_changed_is_written() -> None:
    disk = Disk()
    assert disk.commit() == {}
    disk.hear("hall", 1000)
    assert disk.commit() == {"frame:last:hall": 1000, "frame:reserve:hall": 1000 + AHEAD_LEAST}
    assert disk.commit() == {}
    disk.hear("plain", 7)
    assert disk.commit() == {"frame:last:plain": 7}


def test_a_commit_that_failed_is_said_again() -> None:
    disk = Disk()
    disk.hear("hall", 1000)
    said = disk.guards.marks(0.0)
    assert disk.hear("hall", 1001) == HELD, "nothing is on disk"
    assert disk.guards.marks(0.0).keys() == said.keys()
    disk.counters.update(disk.guards.marks(0.0))
    disk.guards.stored()
    assert disk.hear("hall", 1002) == FRESH


def test_a_commit_is_asked_for_once_until_it_is_on_disk() -> None:
    disk = Disk()
    for counter in range(1000, 1010):
        disk.hear("hall", counter)
        disk.hear("bath", counter)
    assert disk.asked == 1
    disk.commit()
    disk.hear("hall", 1010)
    assert disk.asked == 1
    for counter in range(1011, 1030):
        disk.hear("hall", counter)
    assert disk.asked == 2


def test_a_sensor_without_key_never_asks() -> None:
    disk = Disk()
    for id in range(100):
        disk.hear("plain", id)
    assert disk.asked == 0


def test_a_start_finds_last_mark_used_and_aside() -> None:
    disk = Disk()
    disk.hear("hall", 1000)
    disk.commit()
    disk.hear("hall", 5)
    disk.commit()
    assert disk.start()["hall"].aside
    disk.guards["hall"].rearm(0.0)
    disk.hear("hall", 6)
    disk.commit()
    assert disk.counters == {
        "frame:last:hall": 6,
        "frame:reserve:hall": 6 + AHEAD_LEAST,
        "frame:used:hall": 1000 + AHEAD_LEAST,
        "frame:aside:hall": 0,
    }
    assert not disk.start()["hall"].aside
    assert disk.hear("hall", 900) == Refused(Reason.REPLAY, authentic=True)


def test_a_journal_from_before_the_guards_still_closes_what_it_has_heard() -> None:
    disk = Disk()
    disk.counters["sensor:hall"] = 1000
    disk.start()
    assert disk.hear("hall", 999) == Refused(Reason.REPLAY, authentic=True)
    assert disk.hear("bath", 999) != Refused(Reason.REPLAY, authentic=True)


def test_a_clean_stop_gives_the_reservation_back() -> None:
    disk = Disk()
    disk.hear("hall", 1000)
    disk.commit()
    disk.counters.update(disk.guards.release())
    assert disk.counters["frame:reserve:hall"] == 1000
    disk.start()
    disk.commit()
    disk.hear("hall", 1001)
    disk.commit()
    assert disk.hear("hall", 1002) == FRESH


def test_refusals_of_all_sensors_are_told_together() -> None:
    disk = Disk()
    for sensor in ("hall", "bath"):
        disk.hear(sensor, 1000)
        disk.hear(sensor, 1000)
        disk.hear(sensor, 1)
    assert disk.guards.refused == {"repeated": 2, "replay": 2}


def test_a_new_key_begins_anew_and_the_old_key_never_again() -> None:
    disk: dict[str, int] = {}

    def start(key: bytes) -> FrameGuards:
        return FrameGuards([("s", True)], disk.get, keys={"s": key})

    def commit(guards: FrameGuards) -> None:
        disk.update(guards.marks(0.0))
        guards.stored()

    old, new = bytes(16), bytes(range(16))
    guards = start(old)
    guards["s"].judge(1000, b"a", 0.0)
    guards["s"].judge(5, b"b", 1.0)
    assert guards["s"].aside
    commit(guards)
    assert start(old)["s"].aside
    guards = start(new)
    assert not guards["s"].aside
    assert guards["s"].judge(3, b"c", 2.0) == IN_DOUBT
    commit(guards)
    again = start(new)
    assert not again["s"].aside
    assert again["s"].judge(3, b"c", 3.0) != FRESH
    assert not start(new)["s"].aside
