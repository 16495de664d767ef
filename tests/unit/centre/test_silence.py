"""Who is watched, when a silence is told, and that a city's cut is one notice."""

from __future__ import annotations

import pytest

from provisioning.centre import silence
from provisioning.centre.silence import Facts, Judgement, Watchman, judge

LONG_AGO = -1e6


def facts(hub: str = "h", **fields: object) -> Facts:
    known: dict[str, object] = {
        "first_seen": 0.0,
        "state": "online",
        "state_at": 0.0,
        "online_at": 0.0,
        "heartbeat_at": 0.0,
        "watching": True,
        "interval": 300.0,
    }
    return Facts(hub, **{**known, **fields})  # type: ignore[arg-type]


def test_a_hub_that_beats_is_watching() -> None:
    assert judge(facts(heartbeat_at=1000.0), 1200.0, LONG_AGO) == Judgement(True)


def test_a_hung_hub_is_silent_after_two_missed_heartbeats_and_a_minute() -> None:
    assert judge(facts(), 660.0, LONG_AGO).watching
    assert judge(facts(), 660.1, LONG_AGO) == Judgement(False, "silent")
    assert silence.limit(300.0) == 11 * 60


def test_a_will_counts_at_once_and_is_told_within_ninety_seconds_of_the_cut() -> None:
    will_after = 1.5 * 50 + 3
    judged = judge(facts(state="lost", state_at=will_after), will_after, LONG_AGO)
    assert (judged.watching, judged.why) == (False, "lost")
    assert will_after + judged.hold + 1.0 < 90.0


def test_a_heartbeat_after_the_will_is_a_return() -> None:
    assert judge(facts(state="lost", state_at=10.0, heartbeat_at=20.0), 30.0, LONG_AGO).watching


def test_a_hub_that_says_that_it_does_not_watch_is_believed() -> None:
    judged = judge(facts(watching=False, reasons=("blind", "hung:ble")), 1.0, LONG_AGO)
    assert (judged.watching, judged.why) == (False, "blind+hung:ble")


@pytest.mark.parametrize("interval", [1e12, -5.0])
def test_a_hub_cannot_talk_itself_out_of_being_missed(interval: float) -> None:
    assert not judge(facts(interval=interval), 3 * 86400.0, LONG_AGO).watching


def test_time_in_which_the_centre_was_away_is_nobodys_silence() -> None:
    assert judge(facts(), 5000.0, 4900.0).watching


def test_each_silence_is_told_once_and_again_after_a_return() -> None:
    man = Watchman()
    out = facts(state="lost", state_at=1.0)
    told = [man.look([out], now, LONG_AGO)[1] for now in (1.0, 5.9, 6.0, 7.0, 500.0)]
    assert [len(notices) for notices in told] == [0, 0, 1, 0, 0]
    man.look([facts(heartbeat_at=501.0)], 501.0, LONG_AGO)
    again = facts(state="lost", state_at=600.0)
    man.look([again], 600.0, LONG_AGO)
    assert man.look([again], 606.0, LONG_AGO)[1][0].kind == "silence"


def test_a_reconnect_within_the_hold_is_not_told() -> None:
    man = Watchman()
    man.look([facts(state="lost", state_at=1.0)], 1.0, LONG_AGO)
    _, notices = man.look([facts(state="online", online_at=3.0)], 300.0, LONG_AGO)
    assert notices == []


def test_a_paused_home_is_not_told_to_anybody() -> None:
    man = Watchman()
    paused = facts(watching=False, reasons=("paused",), heartbeat_at=1e5)
    judgements, notices = man.look([paused], 1e5, LONG_AGO)
    assert not judgements["h"].watching
    man.look([paused], 1e5 + 600, LONG_AGO)
    assert notices == []


def test_a_citys_cut_is_a_few_notices_and_not_one_for_each_home() -> None:
    man = Watchman()
    told = []
    homes = 300
    for second in range(700):
        now = 100.0 + second / 1.0
        city = [
            facts(f"h{n}", state="lost", state_at=100.0 + n / 10)
            if now >= 100.0 + n / 10 and not (n != 7 and second > 90)
            else facts(f"h{n}", heartbeat_at=now)
            for n in range(homes)
        ]
        told += man.look(city, now, LONG_AGO)[1]
    kinds = [notice.kind for notice in told]
    assert kinds == ["storm", "still silent"]
    assert told[-1].hubs == ("h7",)


def test_a_city_that_starts_again_is_no_alarm() -> None:
    man = Watchman()
    for second in range(0, 120, 5):
        city = [
            facts(
                f"h{n}",
                online_at=float(n % 60),
                heartbeat_at=float(n % 60),
                watching=False,
                reasons=("blind",),
            )
            for n in range(300)
        ]
        assert man.look(city, float(second), LONG_AGO)[1] == []


def test_a_centre_that_starts_again_tells_nobody_twice() -> None:
    man = Watchman()
    man.told_before("h", "lost", 50.0)
    assert man.look([facts(state="lost", state_at=50.0)], 500.0, LONG_AGO)[1] == []
