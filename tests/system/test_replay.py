"""``ansim replay`` as people and scripts call it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import ANSIM, ansim, command, environment


def replayed(*arguments: object, **more: Any) -> list[dict[str, Any]]:
    done = ansim("replay", *arguments, "--json", **more)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_recorded_home_gives_the_agreed_fields(homes: Path) -> None:
    alerts = replayed(homes / "tm000.csv.gz")
    assert alerts
    for alert in alerts:
        assert {
            "at",
            "type",
            "level",
            "state",
            "alert_id",
            "last_activity_at",
            "silence_hours",
        } <= set(alert)
        assert datetime.fromisoformat(alert["at"]).utcoffset() == timedelta(hours=9)
    assert [a["at"] for a in alerts] == sorted(a["at"] for a in alerts)


def test_one_alert_has_versions_that_count_up(homes: Path) -> None:
    seen: dict[str, int] = {}
    for alert in replayed(homes / "tm000.csv.gz"):
        assert alert["version"] == seen.get(alert["alert_id"], 0) + 1
        seen[alert["alert_id"]] = alert["version"]


def test_the_same_bytes_whatever_the_hash_seed(homes: Path) -> None:
    outputs = {
        ansim("replay", homes / "tm000.csv.gz", "--json", PYTHONHASHSEED=seed).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(outputs) == 1


def test_the_same_bytes_on_the_other_python(homes: Path, other_python: Path) -> None:
    ours = ansim("replay", homes / "tm000.csv.gz", "--json")
    theirs = ansim("replay", homes / "tm000.csv.gz", "--json", python=other_python)
    assert theirs.returncode == 0, theirs.stderr.decode()
    assert ours.stdout == theirs.stdout


def test_until_stops_there(homes: Path) -> None:
    alerts = replayed(homes / "tm000.csv.gz", "--until", "2016-07-15T12:00")
    assert alerts == [
        alert
        for alert in replayed(homes / "tm000.csv.gz")
        if alert["at"] <= "2016-07-15T12:00:00.000+09:00"
    ]


def test_people_read_it_in_their_language(homes: Path) -> None:
    english = ansim("replay", homes / "tm000.csv.gz", LANG="en_US.UTF-8").stdout.decode()
    korean = ansim("replay", homes / "tm000.csv.gz", LANG="ko_KR.UTF-8").stdout.decode()
    assert "No activity for" in english
    assert "외출" in korean
    assert max(len(line) for line in english.splitlines()) <= 160


def test_a_reader_that_has_enough_sees_no_traceback(homes: Path) -> None:
    words = command(ANSIM, "replay", homes / "aruba_1.csv.gz", "--json", "--no-model")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 141


@pytest.mark.parametrize(
    ("name", "rows", "complaint"),
    [
        ("missing", None, "home.csv.gz"),
        ("empty", b"", "line 1"),
        ("no header", b"2026-03-02T00:00:00,hall,ON\n", "line 1"),
        ("header only", b"timestamp,sensor,value\n", "line 2"),
        ("unknown sensor", b"timestamp,sensor,value\n2026-03-02T00:00:00,bad,ON\n", "line 2"),
        (
            "unsorted",
            b"timestamp,sensor,value\n2026-03-02T00:00:01,hall,ON\n2026-03-02T00:00:00,hall,OFF\n",
            "line 3",
        ),
        ("binary", b"\x00\xff\xfe\x01" * 500, "line 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_recording_is_one_line_and_exit_code_4(
    tmp_path: Path, name: str, rows: bytes | None, complaint: str
) -> None:
    path = tmp_path / "home.csv.gz"
    (tmp_path / "home.sensors.csv").write_text("sensor,kind,room\nhall,motion,hall\n")
    if rows is not None:
        path.write_bytes(gzip.compress(rows))
    done = ansim("replay", path, "--no-model")
    said = done.stderr.decode()
    assert done.returncode == 4, said
    assert said.count("\n") == 1
    assert complaint in said


def test_a_truncated_recording_is_one_line_and_exit_code_4(homes: Path, tmp_path: Path) -> None:
    path = tmp_path / "tm000.csv.gz"
    path.write_bytes((homes / "tm000.csv.gz").read_bytes()[:50_000])
    (tmp_path / "tm000.sensors.csv").write_bytes((homes / "tm000.sensors.csv").read_bytes())
    done = ansim("replay", path, "--no-model")
    assert done.returncode == 4
    assert done.stderr.decode().count("\n") == 1


def test_bad_settings_are_exit_code_3_and_bad_usage_2(homes: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[hub]\nname = 1\n")
    home = homes / "tm000.csv.gz"
    assert ansim("replay", home, "--settings", tmp_path / "bad.toml").returncode == 3
    assert ansim("replay", home, "--until", "tomorrow").returncode == 2
    assert ansim("replay").returncode == 2
    assert ansim("nonsense").returncode == 2


def test_the_settings_of_a_home_change_its_ceilings(homes: Path, tmp_path: Path) -> None:
    settings = tmp_path / "ansim.toml"
    settings.write_text(
        '[hub]\nid = "hub-low"\ntenant = "testtown"\n[home]\nrisk_group = "low-intrusion"\n'
        "[model]\nenabled = false\n"
    )
    usual = replayed(homes / "tm000.csv.gz", "--no-model")
    low = replayed(homes / "tm000.csv.gz", "--settings", settings)
    assert sum(a["level"] >= 2 for a in low) <= sum(a["level"] >= 2 for a in usual)


def test_the_version_is_told() -> None:
    done = ansim("--version")
    assert done.stdout.decode().startswith("ansim 0.")
    assert sys.version_info >= (3, 11)


def test_a_moment_is_explained_whether_or_not_there_was_an_alert(homes: Path) -> None:
    home = homes / "tm000.csv.gz"
    (told,) = replayed(home, "--explain", "2016-07-15T03:00")
    assert set(told) == {
        "schema",
        "at",
        "belief",
        "away",
        "last_activity_at",
        "room",
        "sensor",
        "silence_s",
        "covered_s",
        "explanation",
        "steps",
        "suspect_sensors",
        "open_alerts",
    }
    assert told["schema"] == "ansim.explain.v1"
    assert told["at"] == "2016-07-15T03:00:00.000+09:00"
    assert told["belief"] == "home"
    assert told["open_alerts"] == []
    assert told["explanation"]["silent_sensors"]
    assert [step["level"] for step in told["steps"]] == [1, 2, 3]
    assert all(step["at"] > told["at"] for step in told["steps"])


def test_an_alert_and_the_moment_at_which_it_came_give_the_same_reasons(homes: Path) -> None:
    home = homes / "tm000.csv.gz"
    alerts = [a for a in replayed(home) if a["type"].startswith("inactivity")]
    raised = next(a for a in alerts if a["state"] in ("raised", "escalated"))
    assert all((a["explanation"] is None) is (a["state"] == "cleared") for a in alerts)
    (told,) = replayed(home, "--explain", raised["at"])
    assert told["explanation"] == raised["explanation"]
    assert raised in told["open_alerts"]


def test_a_moment_is_explained_in_the_language_of_the_terminal(homes: Path) -> None:
    words = ("replay", homes / "tm000.csv.gz", "--explain", "2016-07-15T12:00")
    english = ansim(*words, LANG="en_US.UTF-8").stdout.decode()
    korean = ansim(*words, LANG="ko_KR.UTF-8").stdout.decode()
    assert english.startswith("2016-07-15 12:00  at home\nNo movement for ")
    assert korean.startswith("2016-07-15 12:00  재실 중\n")
    assert "움직임이 없습니다." in korean
    assert "None" not in english + korean


@pytest.mark.parametrize("time", ["2010-01-01T00:00", "yesterday", ""])
def test_a_moment_that_cannot_be_explained_is_bad_usage(homes: Path, time: str) -> None:
    done = ansim("replay", homes / "tm000.csv.gz", "--no-model", "--explain", time)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.decode().splitlines()[-1].startswith("Error: Invalid value for --explain")
    assert done.stdout == b""
