"""What is told of frames, when, and what waits for the disk."""

from __future__ import annotations

import pytest

from gateway.domain.observation import Measured, Pressed, Quantity, Switched
from gateway.domain.sensor import Kind
from gateway.security.frames import AHEAD_LEAST, AHEAD_SHRINKS
from gateway.sensing.bthome_sensors import HELD_LONGEST, HELD_MOST
from tests.support.bthome_frames import ADDRESS, seal
from tests.support.bthome_hub import ID, Hub, motion, payload, press

ON = Switched(ID, on=True)
READ_ON = Switched(ID, on=True, fresh=False)


def begun(kind: Kind = Kind.MOTION, objects: str = "2100", *, prompt: bool = True) -> Hub:
    """A hub that has heard its sensor at counter 1000."""
    hub = Hub(kind, prompt=prompt)
    hub.hear(motion(1000, objects))
    hub.commit()
    return hub


def test_a_new_frame_is_told_at_once_with_its_counter() -> None:
    hub = begun()
    assert hub.hear(motion(1001)) == [ON]
    assert hub.hear(motion(1002, "0161")) == [Measured(ID, Quantity.BATTERY, 97.0)]
    hub.commit()
    assert hub.disk["sensor:hall"] == 1002


def test_what_is_refused_is_not_even_a_sign_of_life() -> None:
    hub = begun()
    for frame in (motion(1000, "2100"), motion(1001)[:-1] + b"\0", b"\x442101", b"\x45", b""):
        assert hub.hear(frame) is None
    assert hub.hear(motion(999)) is None
    assert hub.hear(motion(1001)) is None


def test_an_unenrolled_address_is_nobody() -> None:
    assert begun().sensors("00:00:00:00:00:00", motion(1001)) is None


def test_a_frame_above_the_mark_is_told_once_the_commit_is_on_disk() -> None:
    hub = begun(prompt=False)
    for counter in range(1001, 1001 + AHEAD_LEAST):
        assert hub.hear(motion(counter)) == [ON]
    assert hub.hear(motion(1001 + AHEAD_LEAST)) == []
    assert len(hub.switched()) == AHEAD_LEAST
    assert hub.asked == 1
    hub.begin()
    assert len(hub.switched()) == AHEAD_LEAST
    hub.finish()
    assert hub.switched() == [(True, True)] * (AHEAD_LEAST + 1)


def test_a_held_frame_that_a_pulled_plug_swallowed_was_never_told() -> None:
    hub = begun(prompt=False)
    hub.hear(motion(2000))
    hub.hear(motion(2001))
    hub.begin()
    assert hub.hear(motion(3000)) == []
    hub.kill()
    assert hub.switched() == []
    assert not any(isinstance(what, Switched) for what in hub.kept)


def test_frames_wait_in_order_and_the_newest_ones_stay_when_a_disk_refuses() -> None:
    hub = begun(Kind.MOTION, prompt=False)
    for counter in range(2000, 2040):
        hub.hear(motion(counter))
        if not hub.committing:
            hub.begin()
            hub.fail()
    assert hub.switched() == []
    hub.commit()
    assert hub.life.total() == HELD_MOST
    assert hub.life[motion(2039)] == 1


def test_a_movement_that_waited_for_hours_is_none_of_now() -> None:
    hub = begun(prompt=False)
    hub.hear(motion(2000))
    hub.wait(HELD_LONGEST + 1.0)
    hub.hear(motion(2001))
    hub.commit()
    assert hub.switched() == [(True, False), (True, True)]
    assert hub.life == {motion(2001): 1}


def test_a_call_for_help_waits_for_no_disk() -> None:
    hub = begun(Kind.HELP, "3a00", prompt=False)
    hub.hear(press(1001))
    hub.begin()
    assert hub.hear(press(2000)) == [Pressed(ID)]
    hub.fail()


def test_a_fire_waits_for_no_disk_and_its_end_neither() -> None:
    hub = begun(Kind.SMOKE, "2900", prompt=False)
    hub.hear(motion(1001, "2900"))
    assert hub.hear(motion(2000, "2901")) == [ON]
    assert hub.hear(motion(2001, "2900")) == [Switched(ID, on=False)]


def test_the_first_frame_ever_calls_for_help_and_warns_of_fire() -> None:
    assert Hub(Kind.HELP).hear(press(5)) == [Pressed(ID)]
    assert Hub(Kind.SMOKE).hear(motion(5, "2901")) == [READ_ON]
    assert Hub(Kind.MOTION).hear(motion(5)) == []


def test_a_press_in_lost_seconds_calls_after_the_restart_and_once() -> None:
    hub = begun(Kind.HELP, "3a00", prompt=False)
    hub.begin()
    hub.hear(press(1001))
    hub.kill()
    assert hub.kept.count(Pressed(ID)) == 0
    # The button repeats itself, or somebody presses again, or plays the press that was lost.
    assert hub.hear(press(1001)) == [Pressed(ID)]
    hub.kill()
    assert hub.hear(press(1001)) is None
    assert hub.kept.count(Pressed(ID)) == 1


def test_a_fire_is_told_even_of_a_sensor_set_aside() -> None:
    """R24: never filtered. A false warning is the price; its end is not believed."""
    hub = begun(Kind.SMOKE, "2900")
    hub.hear(motion(5, "2900"))
    assert hub.aside()
    assert hub.hear(motion(6, "2901")) is None
    assert hub.told[-1] == READ_ON
    assert hub.hear(motion(7, "2900")) is None
    assert hub.told[-1] == READ_ON
    hub.commit()
    assert "sensor:hall" not in hub.disk, "a refused frame's counter is not the last one"


def test_a_press_of_a_button_set_aside_is_not_told() -> None:
    hub = begun(Kind.HELP, "3a00")
    hub.hear(press(5))
    assert hub.aside()
    for counter in (6, 1001, 1002):
        assert hub.hear(press(counter)) is None
    assert Pressed(ID) not in hub.told


def test_a_door_that_stands_open_is_nobody_s_movement() -> None:
    hub = begun(Kind.CONTACT, "1a00")
    told = [hub.hear(motion(1001 + n, "1a01")) for n in range(5)]
    assert told == [[READ_ON], [], [], [], []], "the first state after a start is only read"
    assert hub.hear(motion(1006, "1a00")) == [Switched(ID, on=False)]
    assert hub.life.total() == 1


def test_what_was_held_from_before_a_re_arming_is_not_told_any_more() -> None:
    hub = begun(prompt=False)
    hub.hear(motion(5000))
    hub.rearm()
    hub.hear(motion(1))
    hub.hear(motion(2))
    hub.commit()
    hub.hear(motion(3))
    assert hub.life == {motion(2): 1, motion(3): 1}


def test_after_a_clean_stop_every_event_counts_from_the_first_on() -> None:
    hub = begun()
    for counter in range(1001, 1301):
        hub.hear(motion(counter))
        if counter % 10 == 0:
            hub.stop(away=60.0)
    assert hub.life.total() == 300
    assert set(hub.life.values()) == {1}


def test_after_a_pulled_plug_four_events_of_a_slow_sensor_do_not_count() -> None:
    hub = begun()
    for counter in range(1001, 1301):
        hub.wait(3600.0)
        hub.hear(motion(counter))
        hub.commit()
    hub.kill()
    mute = 0
    counter = 1301
    while not hub.lively([motion(counter)]):
        mute += 1
        counter += 1
    assert mute == AHEAD_LEAST


@pytest.mark.parametrize("rate", [1, 6, 60, 600])
def test_after_a_pulled_plug_a_fast_sensor_is_mute_for_less_than_four_minutes(rate: int) -> None:
    """``rate``: frames a minute; a commit each minute, and when one is asked for."""
    hub = begun()
    counter = 1000
    for _ in range(30):
        for _ in range(rate):
            counter += 1
            hub.wait(60.0 / rate)
            hub.hear(motion(counter))
        hub.commit()
    assert hub.life.total() == counter - 1000
    hub.kill()
    mute = 0
    while not hub.lively([motion(counter + 1 + mute)]):
        mute += 1
    assert mute <= max(AHEAD_LEAST, 4 * rate - 1)


def test_a_busy_evening_does_not_silence_a_quiet_week() -> None:
    hub = begun()
    counter = 1000
    for _ in range(20):
        for _ in range(500):
            counter += 1
            hub.hear(motion(counter))
        hub.commit()
    for _ in range(20):
        counter += 1
        hub.wait(AHEAD_SHRINKS)
        hub.hear(motion(counter))
        hub.commit()
    hub.kill()
    assert hub.lively([motion(counter + n) for n in range(1, AHEAD_LEAST + 2)]) == 1


def test_what_could_not_be_read_and_what_was_in_doubt_is_counted() -> None:
    hub = begun()
    hub.hear(b"\x442101")
    hub.hear(motion(1001)[:-1] + b"\0")
    hub.hear(seal(payload(1002, "2101ee00"), 1002))
    hub.hear(seal(payload(1003, "210102"), 1003))
    assert hub.sensors.counters == {
        "bthome-in-doubt": 1,
        "bthome-plain": 1,
        "bthome-bad-mic": 1,
        "bthome-unknown": 1,
        "bthome-truncated": 1,
    }


def test_a_plain_sensor_that_says_the_same_again_is_there() -> None:
    hub = Hub(key=None)
    frame = b"\x44" + payload(7)
    assert hub.hear(frame) == []
    assert hub.hear(frame) == []
    assert hub.hear(b"\x44" + payload(6)) is None, "older"
    assert hub.hear(b"\x44" + payload(8)) == [ON]
    assert hub.sensors(ADDRESS, motion(9)) is None, "encrypted, and no key to read it with"
