"""Whether a certificate holds, on a machine whose clock may say anything (R17, T3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.errors import CertificateError
from gateway.domain.instant import DAY, RELEASED, Instant
from gateway.security.validity import (
    LONGEST_OFF,
    TOLERANCE,
    Dates,
    Passed,
    judge,
    known_time,
    told_by_centre,
)

YEAR = 365 * DAY
TODAY = RELEASED + 200 * DAY
BOOT = "0badcafe-000001"
GOOD = Dates(TODAY - YEAR, TODAY + 4 * YEAR)
EXPIRED = Dates(TODAY - 5 * YEAR, TODAY - 2 * DAY)
TOMORROW = Dates(TODAY + 3 * DAY, TODAY + YEAR)


def at(wall: float, *, synced: bool = True, boottime: float = 100.0) -> Instant:
    return Instant(BOOT, boottime, wall, synced)


def reason(chain: Dates, now: Instant, passed: Passed | None = None) -> str | None:
    try:
        judge([chain], now, passed or Passed())
    except CertificateError as error:
        return error.reason
    return None


def test_a_known_time_judges_both_ends() -> None:
    assert reason(GOOD, at(TODAY)) is None
    assert reason(EXPIRED, at(TODAY)) == "expired"
    assert reason(TOMORROW, at(TODAY)) == "not-yet-valid"


@pytest.mark.parametrize("wall", [0.0, 3600.0, TODAY - 10 * YEAR, TODAY + 10 * YEAR])
@pytest.mark.parametrize("synced", [True, False])
def test_no_wrong_clock_refuses_a_good_certificate(wall: float, synced: bool) -> None:
    assert reason(GOOD, at(wall, synced=synced)) is None
    assert reason(TOMORROW, at(wall, synced=synced)) is None


@pytest.mark.parametrize("wall", [0.0, TODAY - 10 * YEAR, TODAY + 10 * YEAR])
def test_what_ended_before_a_time_that_passed_has_expired_whatever_the_clock_says(
    wall: float,
) -> None:
    passed = Passed(TODAY)
    assert reason(EXPIRED, at(wall), passed) == "expired"
    assert reason(EXPIRED, at(wall, synced=False), passed) == "expired"
    assert reason(GOOD, at(wall), passed) is None


def test_an_authority_that_expired_is_refused_too() -> None:
    with pytest.raises(CertificateError, match="authority") as caught:
        judge([GOOD, Dates(0.0, TODAY - DAY, issuer=True)], at(TODAY), Passed())
    assert caught.value.reason == "expired"


def test_time_goes_on_within_the_run_in_which_it_became_known() -> None:
    passed = Passed(TODAY, BOOT, 100.0)
    later = at(0.0, synced=False, boottime=100.0 + 3 * YEAR)
    assert passed.by(later) == TODAY + 3 * YEAR
    ends_in_two = Dates(TODAY - YEAR, TODAY + 2 * YEAR)
    assert reason(ends_in_two, later, passed) == "expired"
    assert Passed(TODAY, "another-run", 100.0).by(later) == TODAY


def test_a_jump_within_a_run_is_no_time_and_a_year_in_a_store_room_is() -> None:
    in_run = Passed(TODAY, BOOT, 100.0)
    assert known_time(at(TODAY + 300 * DAY), in_run) is None
    assert known_time(at(TODAY + 300 * DAY), Passed(TODAY)) == TODAY + 300 * DAY
    assert known_time(at(TODAY + LONGEST_OFF + 1), Passed(TODAY)) is None
    assert known_time(at(TODAY - TOLERANCE - 1), Passed(TODAY)) is None
    assert known_time(at(TODAY + 5, synced=False), Passed(TODAY)) is None


def test_the_centres_word_moves_what_has_passed_and_only_plausibly() -> None:
    held = Passed(TODAY)
    unset = at(0.0, synced=False)
    assert told_by_centre(TODAY + DAY, unset, held).wall == TODAY + DAY
    assert told_by_centre(TODAY - DAY, unset, held) == held
    assert told_by_centre(TODAY + 10 * YEAR, unset, held) == held
    assert told_by_centre(TODAY + 300 * DAY, at(TODAY + 10), held) == held, "our clock knows"
    five_years = TODAY + 5 * YEAR  # a hub out of a long storage: clock and centre agree
    assert told_by_centre(five_years, at(five_years + 30), held).wall == five_years


def test_a_time_that_was_wrong_is_put_right_by_clock_and_centre_together() -> None:
    wrong = Passed(TODAY + 399 * DAY)
    assert told_by_centre(TODAY, at(TODAY), wrong).wall == TODAY
    assert told_by_centre(TODAY, at(0.0, synced=False), wrong) == wrong
    assert told_by_centre(0.0, at(0.0), Passed()) == Passed(), "never before the release"


@given(
    wall=st.floats(-1e9, 1e11),
    synced=st.booleans(),
    boottime=st.floats(0, 1e9),
    signed=st.floats(-1e9, 1e11),
)
def test_whatever_clocks_say_a_chain_that_holds_for_decades_is_never_refused_as_expired(
    wall: float, synced: bool, boottime: float, signed: float
) -> None:
    """Only clock and centre together could do it; the hub's own run cannot last so long."""
    now = at(wall, synced=synced, boottime=boottime)
    passed = Passed(TODAY)
    if not (synced and abs(signed - wall) <= TOLERANCE):
        passed = told_by_centre(signed, now, passed)
        assert passed.wall <= TODAY + LONGEST_OFF
    assert reason(Dates(0.0, TODAY + 20 * YEAR), at(wall, synced=synced), passed) is None
