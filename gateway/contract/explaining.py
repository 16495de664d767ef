"""Why there is an inactivity alert, in a few short sentences and as the wire says it (R23).

An operator reads this at three in the morning: what is known first, what is not sure last, no word
too many. Never who or where, never a reproach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite
from typing import TypeGuard

from gateway.contract import fields
from gateway.contract.fitting import cut, cuts, tenths
from gateway.domain.alert import Doubt, Explanation, Quiet
from gateway.domain.instant import DAY, HOUR
from gateway.languages import mark, translator

SENSORS_MOST = 16
SENSORS_BYTES = 500
"""Silent sensors named in one message, and their bytes of JSON; the rest is counted."""

DOUBTS_MOST = 16

DAYS_FROM = 2 * DAY
"""Seconds from which a duration is told in days."""

DECIDED: dict[str, str] = {
    "network+kernel": mark("An AI model and this home's own habits say: better to check now."),
    "kernel": mark("This home's own habits say: better to check now."),
    "ceiling": mark("The fixed limit is reached."),
    "unanswered": mark("The hub asked in the home and nobody answered."),
}
"""Who decided. A fixed rule about absence or blindness needs no word: the alert's own sentence
says it."""

DOUBTS: dict[str, str] = {
    Doubt.SUSPECT_SENSORS: mark("some sensors are not reliable"),
    Doubt.LITTLE_HISTORY: mark("this home is not known for long"),
    Doubt.NO_MODEL: mark("the AI model was not there"),
    Doubt.PART_BLIND: mark("the home was not seen all the time"),
    Doubt.PART_PAUSED: mark("the watch was paused for a time"),
    Doubt.VISITED: mark("somebody visited in that time"),
    Doubt.CLOCK_UNSURE: mark("the hub's clock is not sure"),
}
"""Doubts that stand in a list at the end; those about the door have sentences of their own."""

USUAL_AT_WEEKENDS = mark(
    "At weekends a silence that began at that hour usually ends within {half}, "
    "and 19 times in 20 within {most}."
)
USUAL_ON_WEEKDAYS = mark(
    "On weekdays a silence that began at that hour usually ends within {half}, "
    "and 19 times in 20 within {most}."
)
HALF_AT_WEEKENDS = mark(
    "At weekends half of the silences that began at that hour end within {half}."
)
HALF_ON_WEEKDAYS = mark(
    "On weekdays half of the silences that began at that hour end within {half}."
)
AT_DOOR = mark("It began at the door: the resident may have gone out.")
DOOR_OPEN = mark("The door stands open.")
DOOR_USED = mark("The door was last used {time} ago.")
NO_DOOR_SENSOR = mark("There is no sensor at the door.")

Translate = Callable[[str], str]


def explanation(said: Explanation | None, quiet: Quiet) -> fields.Explanation | None:
    """An explanation as it is sent."""
    if said is None:
        return None
    named = cuts(said.silent, SENSORS_MOST, SENSORS_BYTES)
    return fields.Explanation(
        decided_by=cut(said.by),
        usual_p50_s=tenths(said.usual_p50),
        usual_p95_s=tenths(said.usual_p95),
        usual_days=None if said.weekend is None else "weekend" if said.weekend else "weekday",
        history_days=said.days,
        silent_sensors=named,
        more_silent_sensors=len(said.silent) - len(named) + said.more_silent,
        door_used_s=tenths(said.door_used),
        door_open=said.door_open,
        began_at_door=said.at_door,
        uncertain=cuts(said.doubts, DOUBTS_MOST),
        text_ko=text(said, quiet, "ko")[: fields.MAX_EXPLAINED],
        text_en=text(said, quiet, "en")[: fields.MAX_EXPLAINED],
    )


def text(said: Explanation, quiet: Quiet, language: str) -> str:
    """The explanation in ``language``, "ko" or "en": short sentences, one after the other."""
    _ = translator(language)
    return " ".join([*_silence(said, quiet, _), *_usual(said, _), *_rest(said, _)])


def duration(seconds: float, _: Translate) -> str:
    """A time as people say it: minutes below an hour, days from two days on."""
    if seconds >= DAYS_FROM:
        days, hours = int(seconds // DAY), int(seconds % DAY // HOUR)
        if hours:
            return _("{days} days {hours} h").format(days=days, hours=hours)
        return _("{days} days").format(days=days)
    minutes = max(1, int(seconds // 60.0))
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return _("{minutes} min").format(minutes=minutes)
    if not minutes:
        return _("{hours} h").format(hours=hours)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)


def _silence(said: Explanation, quiet: Quiet, _: Translate) -> Iterator[str]:
    silence = quiet.silence
    if not _is_time(silence):
        return
    time = duration(silence, _)
    if Doubt.NEVER_SEEN in said.doubts:
        yield _("No movement since the watch began {time} ago.").format(time=time)
    else:
        yield _("No movement for {time}.").format(time=time)
    if _is_time(quiet.covered) and silence - quiet.covered >= 60.0:
        if quiet.covered < 60.0:
            yield _("None of that time was seen.")
        else:
            yield _("The home was seen for {time} of that.").format(time=duration(quiet.covered, _))


def _usual(said: Explanation, _: Translate) -> Iterator[str]:
    half, most = said.usual_p50, said.usual_p95
    if not _is_time(half):
        return
    usual = _(USUAL_AT_WEEKENDS if said.weekend else USUAL_ON_WEEKDAYS)
    if not _is_time(most):
        usual = _(HALF_AT_WEEKENDS if said.weekend else HALF_ON_WEEKDAYS)
        yield usual.format(half=duration(half, _))
    else:
        yield usual.format(half=duration(half, _), most=duration(most, _))


def _rest(said: Explanation, _: Translate) -> Iterator[str]:
    count = len(said.silent) + said.more_silent
    if count == 0:
        yield _("No sensor is proven alive.")
    elif count == 1:
        yield _("One sensor is alive and saw nobody.")
    else:
        yield _("{count} sensors are alive and saw nobody.").format(count=count)
    if _is_time(said.door_used):
        yield _(DOOR_USED).format(time=duration(said.door_used, _))
    for doubt, sentence in (
        (Doubt.DOOR_OPEN, DOOR_OPEN),
        (Doubt.AT_DOOR, AT_DOOR),
        (Doubt.NO_DOOR_SENSOR, NO_DOOR_SENSOR),
    ):
        if doubt in said.doubts:
            yield _(sentence)
    if said.by in DECIDED:
        yield _(DECIDED[said.by])
    doubts = [_(DOUBTS[doubt]) for doubt in said.doubts if doubt in DOUBTS]
    if doubts:
        yield _("Not sure: {doubts}.").format(doubts="; ".join(doubts))


def _is_time(seconds: float | None) -> TypeGuard[float]:
    return seconds is not None and isfinite(seconds) and seconds >= 0.0
