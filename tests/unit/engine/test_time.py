"""Restarts, reboots and wrong clocks (R17)."""

import pytest

from gateway.domain.instant import DAY
from gateway.domain.observation import Heard, HubFault, PauseStarted, SourceChanged
from tests.support.life import WIRED, Life, beacons

NO_DOOR = tuple(s for s in WIRED if s.id != "door")


def test_a_restart_is_no_activity_and_costs_the_silence_nothing() -> None:
    life = Life(NO_DOOR).moves(1.0).restart(5.05, up_until=5.0, start="start2").until(10.0)
    assert life.told("inactivity") == [(9.0, 1, "raised")]


def test_a_reboot_of_minutes_goes_on_where_it_was() -> None:
    life = Life(NO_DOOR).moves(1.0)
    life.restart(5.1, up_until=5.0, kernel="second", start="start1").until(10.0)
    assert life.told("inactivity") == [(9.0, 1, "raised")]


def test_hours_in_which_the_hub_was_off_are_not_held_to_be_quiet() -> None:
    life = Life(NO_DOOR).moves(1.0)
    life.restart(7.0, up_until=4.0, kernel="second", start="start1").until(12.9)
    assert life.told("inactivity") == [(12.0, 1, "raised")]
    assert life.of("inactivity")[0].quiet.covered == 8 * 3600.0
    assert life.until(13.5).told("welfare") == [(13.0, 3, "raised")]  # 12 h without any sign


def test_a_reboot_without_a_clock_learns_later_how_long_it_lasted() -> None:
    life = Life(NO_DOOR).moves(1.0)
    life.synced = False
    life.wall_error = -56 * 365 * 86400.0  # it boots in 1970
    life.restart(7.0, up_until=4.0, kernel="second", start="start1")
    life.synced = True
    life.wall_error = 0.0
    life.at(7.1, Heard("hall")).until(12.9)
    assert life.told("inactivity") == [(12.0, 1, "raised")]


def test_an_alert_that_was_due_before_the_end_is_made_up_for() -> None:
    life = Life(NO_DOOR).moves(1.0)
    life.restart(9.2, up_until=9.1, start="start2")
    assert [(level, state) for _, level, state in life.told("inactivity")] == [(1, "raised")]


def test_a_radio_that_is_silent_after_a_reboot_gets_two_minutes() -> None:
    life = (
        Life(beacons())
        .moves(0.0, "pir0")
        .restart(1.0, up_until=0.1, kernel="second", start="start1")
    )
    assert life.told("monitoring") == []
    assert life.engine.watch(life.instant(1.0)).reasons == ("blind",)
    assert life.until(1.1).told("monitoring") == [(1.033, 2, "raised")]
    life.at(1.2, Heard("pir0"))
    assert life.told("monitoring")[-1] == (1.2, 2, "cleared")


def test_what_was_seen_since_a_boot_without_a_clock_does_not_age_when_the_time_arrives() -> None:
    life = Life(beacons()).moves(1.0, "pir0")
    life.synced = False
    life.wall_error = -56 * 365 * 86400.0
    life.restart(17.0, up_until=1.1, kernel="second", start="start1")
    for n in range(3):
        life.moves(17.01, f"pir{n}")
    life.synced, life.wall_error = True, 0.0
    life.at(17.02, Heard("pir0")).until(17.1)
    assert life.engine.watch(life.instant(17.1)).watching
    assert [alert for alert in life.alerts if alert.open and alert.level >= 2] == []


def test_a_pause_that_ends_while_the_hub_is_off_leaves_those_hours_unseen() -> None:
    life = Life(NO_DOOR).moves(8.0).at(10.0, PauseStarted(3600.0, by="centre"))
    life.restart(20.5, up_until=10.5, kernel="second", start="start1")
    assert [alert.type for alert in life.of("inactivity")] == []
    covered = life.engine.watch(life.instant(20.5)).covered
    assert covered is not None
    assert covered <= 2.01 * 3600.0


def test_a_deaf_source_is_not_heard_again_while_the_hub_is_off() -> None:
    life = Life(NO_DOOR).moves(8.0).at(9.5, SourceChanged("recording", alive=False)).until(10.0)
    life.restart(20.5, up_until=10.0, kernel="second", start="start1")
    assert life.of("inactivity") == []
    cleared = [hour for hour, _, state in life.told("monitoring") if state == "cleared"]
    assert cleared == [20.5]
    assert life.of("welfare.unknown")  # 12 h without a sign, seen and unseen


def test_sensors_are_not_lost_for_hours_in_which_nobody_could_hear_them() -> None:
    life = Life(beacons()).moves(0.0, "pir0")
    life.restart(11.0, up_until=0.1, kernel="second", start="start1").at(11.01, Heard("pir0"))
    assert life.until(11.1).told("tech.sensor_lost") == []


def test_summaries_go_on_when_the_wall_clock_goes_back() -> None:
    life = Life().moves(0.0)
    life.wall_error = -10 * 365 * 86400.0
    for minute in range(1, 40):
        life.moves(minute / 60)
    assert len(life.summaries) >= 3


@pytest.mark.parametrize("jump", [7200.0, -7200.0, 10 * 365 * DAY, -10 * 365 * DAY])
def test_an_alert_that_a_tick_raised_before_the_clock_was_set_is_the_same_after_a_rebuild(
    jump: float,
) -> None:
    """The tick lived through the deadline by the old clock; whoever steps the observations again
    must too, or the alert gets another id and is there twice."""
    life = Life().moves(1.0).until(9.5)
    life.wall_error = jump
    life.at(9.6, HubFault("clock", False, "set")).until(13.5)
    life.at(13.6, HubFault("clock", False, "set"))
    assert len({alert.id for alert in life.of("inactivity")}) == 1
    assert life.rebuilt().open_alerts() == life.engine.open_alerts()
