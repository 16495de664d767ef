"""How many sensors become suspect by comparison without any fault, and how soon a silenced one is.

    python tests/bench/suspects.py [--homes FOLDER | --generated DAYS] [--each 4] [--seed 1] [--verbose]

Each recorded home (``ANSIM_HOMES``, default ``../shared/data``; with ``--generated``: each of thirty
generated ones) is lived through once without a fault: every suspect is a false one. Then, for each
sensor that fires on most days, it falls silent at ``--each`` random moments after the first eight
days, as if it were covered, and the others go on as recorded. Counted is the share that is told
within 24 and 48 hours (R13) and the median; an absence counts in full, though nobody can notice
anything in it. No model: it takes no part in this.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

# Tests are no package: find the checkout's own gateway also when it is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gateway.domain.alert import Alert, AlertState
from gateway.domain.household import Household
from gateway.domain.instant import DAY, HOUR, MONTH
from gateway.domain.observation import Observation, Switched
from gateway.domain.sensor import Sensor
from gateway.engine.comparing import BUSY, SILENT
from gateway.engine.engine import Engine
from gateway.engine.evidence import is_activity
from gateway.sensing.recording import load, observations
from models.homes import Plan, generate
from models.homes.people import KINDS

LEARNED = 8
"""Days before the first silencing: a week of learning and one to spare."""
PATIENCE = 7
"""Days after which a silenced sensor counts as not found."""
MOST = 0.5
DAILY = 0.9
"""Shares of the days with any activity on which a sensor fires."""


class Home(NamedTuple):
    name: str
    sensors: tuple[Sensor, ...]
    lived: list[Observation]


class Found(NamedTuple):
    """``hours`` from falling silent until it was told; None if it was not."""

    share: float
    hours: float | None


def suspects(alerts: Sequence[Alert]) -> list[Alert]:
    return [a for a in alerts if a.because in (SILENT, BUSY) and a.state is AlertState.RAISED]


def days_of(home: Home) -> tuple[dict[str, set[int]], set[int]]:
    by_id = {sensor.id: sensor for sensor in home.sensors}
    days: dict[str, set[int]] = defaultdict(set)
    for one in home.lived:
        if isinstance(one.what, Switched) and is_activity(by_id[one.what.sensor], one.what):
            days[one.what.sensor].add(int(one.at.boottime // DAY))
    return days, set().union(*days.values())


def plain(home: Home) -> tuple[list[Alert], dict[int, tuple[int, Engine]]]:
    """Every false suspect, and for each day the engine before its first observation."""
    engine = Engine(Household("bench", home.sensors))
    false: list[Alert] = []
    mornings: dict[int, tuple[int, Engine]] = {}
    for index, one in enumerate(home.lived):
        day = int(one.at.boottime // DAY)
        if day not in mornings:
            mornings[day] = (index, copy.deepcopy(engine))
        false += suspects(engine.step(one).alerts)
    return false, mornings


def silenced(
    home: Home, start: tuple[int, Engine], sensor: str, since: float, share: float
) -> Found | None:
    """None if it was suspect already."""
    index, before = start
    engine = copy.deepcopy(before)
    if any(a.subject == sensor and a.because == SILENT for a in engine.open_alerts()):
        return None
    for one in home.lived[index:]:
        at = one.at.boottime
        if at > since + PATIENCE * DAY:
            break
        if at >= since and isinstance(one.what, Switched) and one.what.sensor == sensor:
            continue
        for alert in suspects(engine.step(one).alerts):
            if alert.subject == sensor and at >= since:
                return Found(share, (at - since) / HOUR)
    return Found(share, None)


def recorded(folder: Path) -> list[Home]:
    found = []
    for path in sorted(folder.glob("*.csv.gz")):
        home = load(path)
        lived = list(observations(home, 540))
        found.append(Home(path.name.partition(".")[0], home.sensors, lived))
    return found


def generated(days: int) -> list[Home]:
    found = []
    for number, kind in enumerate(KINDS):
        for seed, events in enumerate((60.0, 250.0, 900.0)):
            home = generate(
                Plan(seed=seed * 31 + number, kind=kind, days=days, events_per_day=events)
            )
            found.append(Home(f"{kind}-{events:.0f}", home.sensors, list(home.observations())))
    return found


def line(name: str, months: float, false: int, found: Sequence[Found]) -> str:
    words = f"{name:<22}{months:7.1f}{false:7d}{false / months:8.2f}"
    for least in (MOST, DAILY):
        hours = sorted(
            f.hours if f.hours is not None else float("inf") for f in found if f.share >= least
        )
        if not hours:
            words += f"{0:8d}{'-':>7}{'-':>7}{'-':>8}"
            continue
        within = [sum(h <= limit for h in hours) / len(hours) for limit in (24.0, 48.0)]
        median = statistics.median_low(hours)
        told = "-" if median == float("inf") else f"{median:.1f}"
        words += f"{len(hours):8d}{within[0]:7.0%}{within[1]:7.0%}{told:>8}"
    return words


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    default = os.environ.get("ANSIM_HOMES", "../shared/data")
    parser.add_argument("--homes", type=Path, default=Path(default))
    parser.add_argument("--each", type=int, default=4, help="silencings of each sensor")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generated", type=int, default=0, metavar="DAYS", help="generated homes")
    parser.add_argument("--verbose", action="store_true", help="name the false suspects")
    asked = parser.parse_args()
    homes = generated(asked.generated) if asked.generated else recorded(asked.homes)
    sys.stdout.write(
        f"{'':<22}{'':7}{'false':>7}{'a':>8}{'  on most days':<30}{'  on nine days in ten':<30}\n"
        f"{'home':<22}{'months':>7}{'':7}{'month':>8}"
        + 2 * f"{'tried':>8}{'24 h':>7}{'48 h':>7}{'median':>8}"
        + "\n"
    )
    all_months, all_false = 0.0, 0
    all_found: list[Found] = []
    for home in homes:
        days, alive = days_of(home)
        false, mornings = plain(home)
        found: list[Found] = []
        chance = Random(f"{asked.seed} {home.name}")
        last = home.lived[-1].at.boottime
        first = home.lived[0].at.boottime
        can = [d for d in mornings if d * DAY >= first + LEARNED * DAY and (d + 3) * DAY <= last]
        for sensor, own in sorted(days.items()):
            share = len(own) / len(alive)
            if share < MOST:
                continue
            for day in chance.sample(can, min(asked.each, len(can))):
                since = (day + chance.random()) * DAY
                one = silenced(home, mornings[day], sensor, since, share)
                if one is not None:
                    found.append(one)
        months = (last - first) / MONTH
        sys.stdout.write(line(home.name, months, len(false), found) + "\n")
        if asked.verbose:
            for wrong in false:
                when = (wrong.at.boottime - first) / DAY
                sys.stdout.write(f"    day {when:6.1f}  {wrong.subject}  {wrong.because}\n")
        sys.stdout.flush()
        all_months += months
        all_false += len(false)
        all_found += found
    sys.stdout.write(line("all", all_months, all_false, all_found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
