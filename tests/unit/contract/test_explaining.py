"""The sentences of an explanation: short, true, in both languages, and never a None in them."""

from __future__ import annotations

import itertools
import json
import re

import msgspec
import pytest

from gateway.contract import fields, samples
from gateway.contract.decode import decode
from gateway.contract.explaining import DECIDED, DOUBTS, duration, explanation, text
from gateway.domain.alert import Doubt, Explanation, Quiet
from gateway.domain.instant import DAY, HOUR, MONTH
from gateway.languages import translator

QUIET = samples.QUIET_WATCH.quiet
PLAIN = Explanation(silent=("a", "b"), by="kernel")


def english(said: Explanation, quiet: Quiet = QUIET) -> str:
    return text(said, quiet, "en")


def korean(said: Explanation, quiet: Quiet = QUIET) -> str:
    return text(said, quiet, "ko")


def test_a_night_operator_reads_what_is_known_first() -> None:
    said = samples.QUIET_WARNING.explanation
    assert said is not None
    assert text(said, samples.QUIET_WARNING.quiet, "en") == (
        "No movement for 12 h. At weekends a silence that began at that hour usually ends within "
        "2 h, and 19 times in 20 within 7 h. 4 sensors are alive and saw nobody. The door was last "
        "used 17 h 15 min ago. The fixed limit is reached. Not sure: some sensors are not reliable."
    )
    assert text(said, samples.QUIET_WARNING.quiet, "ko") == (
        "12시간 동안 움직임이 없습니다. 주말 그 시간대에 시작된 무활동은 보통 2시간 안에 끝나며, "
        "스무 번 중 열아홉 번은 7시간을 넘지 않습니다. 정상 동작하는 센서 4개가 아무도 감지하지 "
        "않았습니다. 마지막 현관 출입은 17시간 15분 전입니다. 정해진 상한 시간이 되었습니다. "
        "불확실: 일부 센서를 믿기 어려움."
    )


@pytest.mark.parametrize(
    ("seconds", "en", "ko"),
    [
        (0.0, "1 min", "1분"),
        (59 * 60.0, "59 min", "59분"),
        (HOUR, "1 h", "1시간"),
        (9 * HOUR + 600.0, "9 h 10 min", "9시간 10분"),
        (47 * HOUR, "47 h", "47시간"),
        (2 * DAY, "2 days", "2일"),
        (MONTH, "30 days 9 h", "30일 9시간"),
    ],
)
def test_a_duration_is_told_as_people_say_it(seconds: float, en: str, ko: str) -> None:
    assert duration(seconds, translator("en")) == en
    assert duration(seconds, translator("ko")) == ko


@pytest.mark.parametrize(
    ("silent", "more", "en", "ko"),
    [
        ((), 0, "No sensor is proven alive.", "동작이 확인된 센서가 없습니다."),
        (("a",), 0, "One sensor is alive", "센서 1개가"),
        (("a", "b"), 0, "2 sensors are alive", "센서 2개가"),
        (("a",) * 16, 4, "20 sensors are alive", "센서 20개가"),
    ],
)
def test_sensors_are_counted(silent: tuple[str, ...], more: int, en: str, ko: str) -> None:
    said = Explanation(silent=silent, more_silent=more)
    assert en in english(said)
    assert ko in korean(said)


def test_unseen_time_is_told_where_there_was_some() -> None:
    part = msgspec.structs.replace(QUIET, covered=5 * HOUR)
    assert "The home was seen for 5 h of that." in english(PLAIN, part)
    none = msgspec.structs.replace(QUIET, covered=0.0)
    assert "None of that time was seen." in english(PLAIN, none)
    assert "seen for" not in english(PLAIN)


def test_a_home_that_never_moved_is_told_as_such() -> None:
    said = Explanation(doubts=(Doubt.NEVER_SEEN,))
    assert english(said).startswith("No movement since the watch began 8 h ago.")


def test_the_door_has_its_own_sentences() -> None:
    assert "The door was last used 1 min ago." in english(Explanation(door_used=0.0))
    said = english(Explanation(doubts=(Doubt.DOOR_OPEN, Doubt.AT_DOOR)))
    assert "The door stands open. It began at the door" in said
    assert "no sensor at the door" in english(Explanation(doubts=(Doubt.NO_DOOR_SENSOR,)))
    assert "Not sure" not in said


@pytest.mark.parametrize("by", DECIDED)
def test_who_decided_is_told(by: str) -> None:
    assert DECIDED[by] in english(Explanation(by=by))
    assert translator("ko")(DECIDED[by]) in korean(Explanation(by=by))


def test_every_doubt_is_told_and_one_of_the_future_is_left_out() -> None:
    nothing = english(PLAIN)
    for doubt in Doubt:
        assert english(msgspec.structs.replace(PLAIN, doubts=(doubt,))) != nothing
    assert english(msgspec.structs.replace(PLAIN, doubts=("of-the-future",))) == nothing
    assert set(DOUBTS) < set(Doubt)


def test_no_sentence_ever_says_none_or_leaves_a_field_open() -> None:
    times = (None, 0.0, 3700.0, float("nan"), float("inf"))
    quiets = [Quiet(), QUIET, msgspec.structs.replace(QUIET, silence=None), Quiet(silence=1.0)]
    for half, most, door in itertools.product(times, repeat=3):
        for weekend, quiet in itertools.product((None, False, True), quiets):
            said = Explanation(usual_p50=half, usual_p95=most, weekend=weekend, door_used=door)
            for language in ("ko", "en"):
                told = text(said, quiet, language)
                assert told
                assert not re.search(r"\bNone\b(?! of)|nan|inf|[{}]", told), told


def test_the_longest_explanation_is_not_cut() -> None:
    said = Explanation(
        by="network+kernel",
        usual_p50=9 * HOUR + 660.0,
        usual_p95=47 * HOUR + 660.0,
        weekend=True,
        silent=("a",) * 16,
        door_used=40 * DAY + HOUR,
        doubts=tuple(d for d in Doubt if d not in (Doubt.NO_DOOR_SENSOR, Doubt.NEVER_SEEN)),
    )
    quiet = Quiet(samples.at(0), silence=30 * DAY + HOUR, covered=20 * DAY + HOUR)
    for language in ("ko", "en"):
        assert len(text(said, quiet, language)) <= fields.MAX_EXPLAINED


def test_sensors_that_do_not_fit_are_counted() -> None:
    said = Explanation(silent=tuple(f"{n}" + "가" * 80 for n in range(16)), more_silent=3)
    sent = explanation(said, QUIET)
    assert sent is not None
    assert 0 < len(sent.silent_sensors) < 16
    assert len(sent.silent_sensors) + sent.more_silent_sensors == 19


def test_a_centre_that_knows_no_explanation_reads_the_alert_and_the_other_way_round() -> None:
    payload = samples.encoder().alert(samples.QUIET_WATCH, 1)
    event = json.loads(payload)
    assert event["data"]["explanation"]["decided_by"] == "ceiling"
    del event["data"]["explanation"]  # what an older hub sends
    decode("alert", json.dumps(event).encode(), hub=samples.HUB)
