"""One sentence for an operator about one version of an alert, in Korean and English.

It says what is the case and what it is not sure of; never who or where.
"""

from __future__ import annotations

from gateway.domain.alert import Alert, AlertState, AlertType
from gateway.domain.instant import HOUR
from gateway.languages import mark, translator

SENTENCES: dict[AlertType, str] = {
    AlertType.HELP_BUTTON: mark("The help button was pressed."),
    AlertType.SMOKE: mark("The smoke detector found smoke."),
    AlertType.GAS: mark("The gas detector found gas."),
    AlertType.CO: mark("The carbon monoxide detector found carbon monoxide."),
    AlertType.FLOOD: mark("The water detector found water."),
    AlertType.INACTIVITY_WATCH: mark("No activity for {hours} hours: longer than usual."),
    AlertType.INACTIVITY_WARNING: mark("No activity for {hours} hours: please call."),
    AlertType.INACTIVITY_ALARM: mark("No activity for {hours} hours: somebody must look."),
    AlertType.WELFARE_UNKNOWN: mark(
        "The home cannot be seen and was quiet before: please find out how the resident is."
    ),
    AlertType.AWAY: mark("The resident went out."),
    AlertType.AWAY_TOO_LONG: mark("The resident has been away for {hours} hours."),
    AlertType.NO_EXIT: mark("The resident has not left home for a long time."),
    AlertType.ROUTINE_DRIFT: mark("The resident's days are no longer as they used to be."),
    AlertType.DOOR_OPEN_LONG: mark("The entrance has been open for a long time."),
    AlertType.TEMP_LOW: mark("It is dangerously cold in the home."),
    AlertType.TEMP_HIGH: mark("It is dangerously hot in the home."),
    AlertType.BLIND: mark("The hub cannot see the home: a silence now would not be noticed."),
    AlertType.TECH_MAINS: mark("The hub is without mains power."),
    AlertType.TECH_SENSOR_LOST: mark("A sensor is silent and must be looked at."),
    AlertType.TECH_SENSOR_BATTERY: mark("A sensor's battery is low."),
    AlertType.TECH_SENSOR_SUSPECT: mark("A sensor seems covered, stuck or moved."),
    AlertType.TECH_TAMPER: mark("A housing was opened or moved."),
    AlertType.TECH_CONFIG: mark("The hub's settings are damaged; it runs on the last good ones."),
    AlertType.TECH_STORAGE: mark("The hub's storage is failing."),
    AlertType.JOURNAL_RECOVERED: mark(
        "The hub's memory was damaged; it goes on with what could be read."
    ),
    AlertType.TECH_CLOCK: mark("The hub's clock is not right."),
    AlertType.TECH_LINK: mark("The hub's link to the centre is failing."),
    AlertType.TECH_MODEL: mark("The hub's model cannot be used; the fixed limits hold."),
    AlertType.TECH_UPDATE: mark("An update of the hub failed."),
    AlertType.PAUSED: mark("The watch is paused."),
    AlertType.VISIT: mark("A visitor checked in."),
}

FAULTS: dict[str, str] = {
    "wire": mark("A sensor's wire seems cut or bridged."),
    "stuck": mark("A sensor says the same without end."),
    "replay": mark(
        "A sensor counts from the beginning again: a new battery, or old messages played once more. "
        "It is not believed until somebody re-arms it there."
    ),
    "downgrade": mark("Somebody sends messages without a key in the name of a sensor."),
    "bad-key": mark("Messages in the name of a sensor have a wrong key."),
    "silent": mark("A sensor no longer sees what it used to see; is it covered or moved?"),
    "busy": mark("A sensor sees far more than it ever did; was it moved?"),
}
"""What is wrong with a suspect sensor, by the alert's ``because``. Never a reproach (R36)."""

DRIFTS: dict[str, str] = {
    "decline": mark("For some weeks clearly less has been done in the home than before."),
    "turn": mark("For some days the resident has been up at night and quiet by day."),
}
"""How the days have changed, by the alert's ``because``."""

STATES: dict[AlertState, str] = {
    AlertState.CLEARED: mark("Its cause is gone: {what}"),
    AlertState.ACCEPTED: mark("Accepted: {what}"),
    AlertState.ACTING: mark("Being acted on: {what}"),
    AlertState.CLOSED: mark("Closed: {what}"),
}

DAYS_LEFT = mark("A sensor's battery is low: about {days} days are left.")
PRESSED_AGAIN = mark("The help button was pressed {count} times.")
UNSURE = mark("Not sure: sensors not proven alive: {count}.")


def sentence(alert: Alert, language: str) -> str:
    """The sentence in ``language``, "ko" or "en"."""
    _ = translator(language)
    if alert.type is AlertType.HELP_BUTTON and alert.presses > 1:
        what = _(PRESSED_AGAIN).format(count=alert.presses)
    elif alert.type is AlertType.TECH_SENSOR_SUSPECT and alert.because in FAULTS:
        what = _(FAULTS[alert.because])
    elif alert.type is AlertType.ROUTINE_DRIFT and alert.because in DRIFTS:
        what = _(DRIFTS[alert.because])
    elif alert.type is AlertType.TECH_SENSOR_BATTERY and alert.days_left is not None:
        what = _(DAYS_LEFT).format(days=alert.days_left)
    else:
        what = _(SENTENCES[alert.type]).format(hours=_hours(alert))
    frame = STATES.get(alert.state)
    text = what if frame is None else _(frame).format(what=what)
    if alert.suspect and frame is None:
        text += " " + _(UNSURE).format(count=len(alert.suspect))
    return text


def _hours(alert: Alert) -> str:
    """Whole hours of the silence, or of the alert itself where no silence is known."""
    silence = alert.quiet.silence
    seconds = silence if silence is not None else max(0.0, alert.at.wall - alert.raised.wall)
    return str(int(seconds // HOUR))
