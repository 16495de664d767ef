"""T1 and T2: a thousand forged and a thousand replayed frames, and none counts as life.

Life is what the engine takes for it (``gateway.engine.evidence``) and a press of a keyed button.
The attacker has heard every frame since the sensor was enrolled, and has no key.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gateway.domain.sensor import Kind
from gateway.security.frames import REARM_WINDOW
from tests.support.bthome_frames import ADDRESS, OTHER_KEY
from tests.support.bthome_hub import Hub, motion, payload, press

MANY = 1000


def forged(kind: str, first: int) -> list[bytes]:
    """Frames with counters that are still to come, made without the key."""
    chance = random.Random(7)
    frames = []
    for counter in range(first, first + MANY):
        real = motion(counter)
        match kind:
            case "a false check value":
                at = len(real) - 1 - chance.randrange(4)
                frames.append(
                    real[:at] + bytes([real[at] ^ chance.randrange(1, 256)]) + real[at + 1 :]
                )
            case "another key":
                frames.append(motion(counter, key=OTHER_KEY))
            case "another counter":
                frames.append(real[:-8] + (counter + MANY).to_bytes(4, "little") + real[-4:])
            case "plain":
                frames.append(b"\x44" + payload(counter))
            case "the key's bit cleared":
                frames.append(b"\x44" + real[1:])
            case _:
                frames.append(b"\x45" + chance.randbytes(12))
    return frames


KINDS = (
    "a false check value",
    "another key",
    "another counter",
    "plain",
    "the key's bit cleared",
    "noise",
)


class Past:
    """A hub whose sensor has sent a thousand frames, all of them on the attacker's tape."""

    def __init__(self, first: int, frame: Callable[[int], bytes] = motion) -> None:
        kind = Kind.HELP if frame is press else Kind.MOTION
        self.hub = Hub(kind, prompt=True)
        self.frame = frame
        self.tape: list[bytes] = []
        self.next = first
        for _ in range(MANY):
            self.tape.append(self.send())
        # All but the very first counted, a press also then, and each once.
        assert self.hub.life.total() == MANY - (frame is motion)
        assert set(self.hub.life.values()) == {1}

    def send(self) -> bytes:
        frame = self.frame(self.next)
        self.next += 1
        self.hub.wait(20.0)
        self.hub.hear(frame)
        return frame

    def false(self) -> bytes:
        return self.frame(self.next & 0xFFFFFFFF)[:-1] + b"\x00"


def nothing(past: Past) -> None:
    past.hub.commit()


def restart(past: Past) -> None:
    past.hub.stop()


def kill(past: Past) -> None:
    past.hub.kill()


def kill_at_a_commit(past: Past) -> None:
    past.hub.begin()
    past.hub.kill(away=3600.0)


def two_false_ones(past: Past) -> None:
    assert past.hub.hear(past.false()) is None
    assert past.hub.hear(past.false()) is None


def kill_and_two_false_ones(past: Past) -> None:
    kill(past)
    two_false_ones(past)


def set_aside(past: Past) -> None:
    past.hub.hear(past.tape[0])


BEFORE = (
    nothing,
    restart,
    kill,
    kill_at_a_commit,
    two_false_ones,
    kill_and_two_false_ones,
    set_aside,
)
ORDERS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "as recorded": list,
    "the last first": lambda tape: tape[::-1],
    "from the middle": lambda tape: tape[MANY // 2 :] + tape[: MANY // 2],
    "shuffled": lambda tape: random.Random(3).sample(tape, len(tape)),
    "only the last one": lambda tape: tape[-1:] * MANY,
    "only counters under 100": lambda tape: [tape[n % 100] for n in range(MANY)],
}


@pytest.mark.parametrize("before", BEFORE, ids=lambda before: before.__name__)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("frame", [motion, press], ids=["motion", "press"])
def test_of_a_thousand_replayed_frames_none_counts(
    before: Callable[[Past], None], order: str, frame: Callable[[int], bytes]
) -> None:
    past = Past(0, frame)
    before(past)
    # Tried again after each way of stopping, so that nothing the attack leaves behind helps it.
    assert past.hub.lively(ORDERS[order](past.tape)) == 0
    past.hub.kill()
    assert past.hub.lively(ORDERS[order](past.tape)) == 0
    past.hub.stop(away=86_400.0)
    assert past.hub.lively(ORDERS[order](past.tape)) == 0


@pytest.mark.parametrize("before", BEFORE, ids=lambda before: before.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_of_a_thousand_forged_frames_none_counts_and_all_leave_no_trace(
    before: Callable[[Past], None], kind: str
) -> None:
    past = Past(0)
    before(past)
    past.hub.commit()
    aside, disk = past.hub.aside(), dict(past.hub.disk)
    assert past.hub.lively(forged(kind, past.next)) == 0
    assert past.hub.aside() is aside
    assert past.hub.disk == disk
    assert past.hub.lively(past.tape) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_forged_frames_do_not_deafen_the_hub_to_the_real_ones(kind: str) -> None:
    past = Past(0)
    past.hub.lively(forged(kind, past.next))
    assert past.hub.lively([motion(past.next)]) == 1


@pytest.mark.parametrize("first", [0xFFFF - MANY, 2**32 - MANY])
@pytest.mark.parametrize("before", BEFORE[:-1], ids=lambda before: before.__name__)
def test_a_counter_that_wraps_is_told_and_gives_nothing_to_replay(
    before: Callable[[Past], None], first: int
) -> None:
    past = Past(first)
    before(past)
    wrapped = [motion(counter) for counter in range(MANY)]
    assert past.hub.lively(wrapped) == 0
    assert past.hub.aside()
    assert past.hub.faults("replay")[-1] is True
    assert past.hub.lively([*past.tape, *wrapped]) == 0


@pytest.mark.parametrize("before", BEFORE[:-1], ids=lambda before: before.__name__)
def test_a_battery_change_is_told_re_armed_and_gives_nothing_to_replay(
    before: Callable[[Past], None],
) -> None:
    past = Past(5000)
    before(past)
    hub = past.hub
    # The new battery: counters from nought.
    assert hub.lively([motion(counter, "64012101") for counter in range(3)]) == 0
    assert hub.aside()
    assert hub.faults("replay")[-1] is True
    # The technician comes, presses, and the sensor counts again from its next event on.
    hub.rearm()
    assert hub.lively([motion(3)]) == 0
    assert not hub.aside()
    assert hub.faults("replay")[-1] is False
    assert hub.lively([motion(4), motion(5)]) == 2
    hub.kill()
    # What was recorded before is still worth nothing, and is told again.
    assert hub.lively(past.tape) == 0
    assert hub.aside()
    assert hub.faults("replay")[-1] is True


def test_without_a_person_on_site_no_number_of_frames_re_arms() -> None:
    past = Past(5000)
    fresh = [motion(counter) for counter in range(MANY)]
    assert past.hub.lively(fresh) == 0
    past.hub.wait(REARM_WINDOW)
    past.hub.stop(away=86_400.0)
    assert past.hub.lively([motion(counter) for counter in range(MANY, 2 * MANY)]) == 0
    assert past.hub.aside()


def test_a_sensor_without_key_is_never_life() -> None:
    hub = Hub(key=None)
    frames = [b"\x44" + payload(counter) for counter in range(MANY)]
    assert hub.lively(frames) == 0
    assert hub.switched()[-1] == (True, True), "told it is; the engine does not count it (T1)"


def test_a_frame_from_another_address_is_not_even_looked_at() -> None:
    past = Past(0)
    other = ADDRESS[:-1] + "0"
    told = len(past.hub.told)
    for frame in [*past.tape, *forged("plain", past.next)]:
        assert past.hub.hear(frame, other) is None
    assert len(past.hub.told) == told


# -- the negatives of the anchors' page, with its own vectors' counters -----------------------------


def test_1000_after_1001_is_a_replay() -> None:
    hub = Hub(prompt=True)
    hub.lively([motion(999)])
    assert hub.lively([motion(1000), motion(1001)]) == 2
    assert hub.lively([motion(1000)]) == 0
    assert hub.aside()


def test_counter_50_after_1000_is_a_replay() -> None:
    hub = Hub(prompt=True)
    hub.lively([motion(1000)])
    assert hub.lively([motion(50)]) == 0
    assert hub.aside()


@pytest.mark.parametrize("stop", [Hub.stop, Hub.kill], ids=["stop", "kill"])
def test_the_last_frame_after_a_restart_is_a_repeat(stop: Callable[[Hub], None]) -> None:
    hub = Hub(prompt=True)
    hub.lively([motion(1000), motion(1001)])
    hub.commit()
    stop(hub)
    assert hub.lively([motion(1001)] * 3) == 0
    assert not hub.aside(), "a cache may hand it out again: no harm"


def test_two_false_frames_do_not_let_the_third_pass() -> None:
    hub = Hub(prompt=True)
    hub.lively([motion(1000), motion(1001)])
    false = motion(1002)[:-1] + b"\x00"
    assert hub.lively([false, false, motion(1000), motion(1001)]) == 0
    assert hub.faults("replay") == [False, True]


def test_an_equal_counter_with_another_payload_is_no_event() -> None:
    hub = Hub(prompt=True)
    hub.lively([motion(1000), motion(1001, "2100")])
    assert hub.lively([motion(1001, "2101"), motion(1001, "2101"), motion(1001, "0164")]) == 0
    assert not hub.aside()
