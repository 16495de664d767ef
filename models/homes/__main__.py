"""``python -m models.homes``: write a generated home."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.homes.home import generate, write
from models.homes.people import KINDS
from models.homes.plan import Moment, Plan


def _moment(text: str) -> Moment:
    """Hours since the first midnight, or a local ISO time."""
    try:
        return float(text)
    except ValueError:
        return text


def _stretch(text: str) -> tuple[Moment, float]:
    when, _, hours = text.rpartition("+")
    try:
        return _moment(when), float(hours)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not WHEN+HOURS") from None


def _dead(text: str) -> tuple[str, Moment]:
    sensor, sign, when = text.partition("@")
    if not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not SENSOR@WHEN")
    return sensor, _moment(when)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.homes",
        description="Generate a home and write it in the format of recorded homes.",
        epilog="WHEN is hours since the first midnight (218.5) or local time (2026-03-11T02:30).",
    )
    add = parser.add_argument
    add("--kind", choices=tuple(KINDS), default="regular", help="who lives there")
    add("--seed", type=int, default=1)
    add("--days", type=int, default=28)
    add("--start", default="2026-03-02", metavar="DATE", help="first day")
    add("--events-per-day", type=float, default=300.0, metavar="N", help="30 to 3000")
    add("--out", type=Path, required=True, metavar="FOLDER")
    add("--name", help="name of the home; by default kind and seed")
    add("--beacons", action="store_true", help="radio beacons that are HEARD, not wires")
    add("--event-only", action="append", default=[], metavar="SENSOR")
    add("--help-button", action="store_true")
    add("--temperature", action="store_true")
    add("--mains", action="store_true")
    add("--collapse", type=_moment, metavar="WHEN")
    add("--dead", type=_dead, action="append", default=[], metavar="SENSOR@WHEN")
    add("--absence", type=_stretch, action="append", default=[], metavar="WHEN+HOURS")
    add("--visit", type=_stretch, action="append", default=[], metavar="WHEN+HOURS")
    add("--tagged-visits", action="store_true", help="visitors check in and out with a tag")
    add("--radio-silence", type=_stretch, action="append", default=[], metavar="WHEN+HOURS")
    add("--radio-silence-told", action="store_true", help="the radio knows that it is deaf")
    add("--decline", type=_moment, metavar="WHEN", help="60 days of doing less and less")
    add("--turn", type=_moment, metavar="WHEN", help="night becomes day")
    add("--press", type=_moment, action="append", default=[], metavar="WHEN")
    add("--temperature-drop", type=_moment, metavar="WHEN")
    add("--mains-cut", type=_stretch, action="append", default=[], metavar="WHEN+HOURS")
    add("--pause", type=_stretch, action="append", default=[], metavar="WHEN+HOURS")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 2 where the home cannot be."""
    given = _parser().parse_args(arguments)
    try:
        plan = Plan(
            seed=given.seed,
            kind=given.kind,
            days=given.days,
            start=given.start,
            events_per_day=given.events_per_day,
            beacons=given.beacons,
            event_only=tuple(given.event_only),
            help=given.help_button,
            temperature=given.temperature,
            mains=given.mains,
            collapse=given.collapse,
            dead=tuple(given.dead),
            absences=tuple(given.absence),
            visits=tuple(given.visit),
            tagged_visits=given.tagged_visits,
            radio_silence=tuple(given.radio_silence),
            radio_silence_told=given.radio_silence_told,
            decline=given.decline,
            turn=given.turn,
            presses=tuple(given.press),
            temperature_drop=given.temperature_drop,
            mains_cuts=tuple(given.mains_cut),
            pauses=tuple(given.pause),
        )
        home = generate(plan)
        path = write(home, given.out, given.name or f"{given.kind}-{given.seed}")
    except (ValueError, OSError) as error:
        print(f"models.homes: {error}", file=sys.stderr)
        return 2
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
