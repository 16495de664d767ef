"""The document of ``ansim evaluate`` for people; 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.languages import mark, translator
from gateway.languages.terminal import padded

STAGES = {
    1: mark("stage 1, asked in the home; {days} days of learning; {cuts} cuts a home"),
    2: mark("stage 2, told to the centre; {days} days of learning; {cuts} cuts a home"),
}
DELAYS = (mark("median"), mark("mean"), mark("p90"), mark("max"))
INTERVALS = {
    "false_alarms_per_home_month": mark("95 % interval by persons, false alarms a home-month"),
    "mean": mark("95 % interval by persons, mean delay in hours"),
    "p90": mark("95 % interval by persons, p90 of the delay in hours"),
}


def lines(told: dict[str, Any], language: str) -> Iterator[str]:
    """Everything, in ``language`` ("ko" or "en")."""
    _ = translator(language)
    yield _(STAGES[told["stage"]]).format(days=f"{told['learn_days']:g}", cuts=told["cuts"])
    if (p := told["answers"]) is not None:
        yield _(
            "assumed: a question is answered with probability {day} by day, {night} at night,\n"
            "0 when away or collapsed; after 15 minutes the centre is told"
        ).format(day=f"{p:g}", night=f"{p / 2:g}")
    yield ""
    delays = [_(name) for name in DELAYS]
    yield _row((_("home"), _("months"), _("false"), _("away"), _("delay, hours")))
    yield _row(("", "", "", "", _columns(delays)))
    for home in told["homes"]:
        marks = "  " + _("IN SAMPLE") if home["in_sample"] else ""
        marks += "" if home["pooled"] else "  " + _("short")
        yield _row(
            (
                home["home"],
                f"{home['home_months']:.2f}",
                str(home["false_alarms"]),
                str(home["away_false_alarms"]),
                _hours(home["delay_hours"]) + marks,
            )
        )
    pool = told["pooled"]
    yield ""
    months, false = f"{pool['home_months']:.2f}", str(pool["false_alarms"])
    yield _row((_("all"), months, false, "", _hours(pool["delay_hours"])))
    rate = _number(pool["false_alarms_per_home_month"])
    yield _("false alarms a home-month: {rate}").format(rate=rate)
    if "questions_per_week" in pool:
        asked = f"{pool['questions_per_week']:.2f}"
        yield _("questions a home-week: {rate}").format(rate=asked)
    for name, (low, high) in pool["intervals"].items():
        yield f"{_(INTERVALS[name])}: {_number(low)} - {_number(high)}"
    yield from _absences([home for home in told["homes"] if home["absence"] is not None], _)
    yield from _baselines(told.get("baselines", ()), delays, _)


def _absences(homes: Sequence[dict[str, Any]], _: Any) -> Iterator[str]:
    if not homes:
        return
    yield ""
    heads = (_("sensitivity"), _("specificity"), _("motion sensors"))
    yield padded(_("absence, hour by hour"), 28) + "".join(padded(head, -15) for head in heads)
    for home in homes:
        of = home["absence"]
        rates = (_number(of["sensitivity"]), _number(of["specificity"]), str(of["motion_sensors"]))
        yield padded(home["home"], 28) + "".join(padded(text, -15) for text in rates)


def _baselines(rows: Sequence[dict[str, Any]], delays: Sequence[str], _: Any) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield _("published methods (knob chosen on these very homes, which is kind to them)")
    heads = padded(_("budget"), -7) + padded(_("rate"), -7)
    yield padded(_("method"), 22) + heads + "  " + _columns(delays)
    for row in rows:
        budget = _number(row["budget_per_home_month"])
        rate = _number(row["false_alarms_per_home_month"])
        figures = padded(budget, -7) + padded(rate, -7)
        yield padded(row["name"], 22) + figures + "  " + _hours(row["delay_hours"])


def _row(cells: tuple[str, str, str, str, str]) -> str:
    name, months, false, away, rest = cells
    head = padded(name, 12) + padded(months, -7) + padded(false, -6) + padded(away, -6)
    return f"{head}  {rest}".rstrip()


def _columns(texts: Sequence[str]) -> str:
    return " ".join(padded(text, -6) for text in texts)


def _hours(of: dict[str, float | None]) -> str:
    return _columns([_number(of[name]) for name in DELAYS])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
