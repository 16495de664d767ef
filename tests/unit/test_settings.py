"""Settings: a good file becomes a household; anything else is one line with file, key, remedy."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from gateway.domain.errors import SettingsError
from gateway.domain.household import CEILINGS, RiskGroup
from gateway.domain.instant import HOUR
from gateway.domain.sensor import Kind, Room, Sensor, Supervision
from gateway.settings import fingerprint, load
from gateway.settings.document import page

GOOD = """
[hub]
id = "hub-1"
tenant = "town"
data = "data"

[centre]
host = "localhost"
ca = "ca.pem"
certificate = "hub.pem"
key = "hub.key"
[centre.keys]
centre-1 = "centre-1.pub.pem"

[[sensors]]
id = "living"
kind = "motion"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name in ("ca.pem", "hub.pem", "hub.key", "centre-1.pub.pem"):
        (tmp_path / name).write_text("x")
    path = tmp_path / "ansim.toml"
    path.write_text(GOOD)
    return path


def refused(path: Path, *, for_run: bool = True, language: str = "en") -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, for_run=for_run, language=language)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: ")
    assert "; " in line, "no remedy"
    return line.removeprefix(f"{path}: ")


def test_a_good_file_becomes_a_household_in_the_domains_words(file: Path) -> None:
    settings = load(file)
    household = settings.household()
    assert household.hub == "hub-1"
    assert household.ceilings == CEILINGS[RiskGroup.STANDARD]
    assert [(s.id, s.kind, s.supervision) for s in household.sensors] == [
        ("living", Kind.MOTION, Supervision.WIRED)
    ]
    assert household.utc_offset == 540
    assert household.limits.no_exit == 72 * HOUR


def test_relative_paths_count_from_the_folder_of_the_file(file: Path) -> None:
    settings = load(file)
    assert settings.centre is not None
    assert settings.centre.ca == file.parent / "ca.pem"
    assert settings.hub.data == file.parent / "data"


def test_the_example_in_the_docs_is_a_good_file(root: Path) -> None:
    settings = load(root / "docs" / "example.toml", for_run=False)
    assert settings.household().ceilings == CEILINGS[RiskGroup.STANDARD]
    assert settings.centre is not None
    assert settings.centre.port == 8883


def test_the_example_in_the_docs_shows_every_section(root: Path) -> None:
    shown = set(tomllib.loads((root / "docs" / "example.toml").read_text()))
    assert shown == {"hub", "home", "centre", "model", "radio", "sensors"}


def test_lower_ceilings_and_somebody_who_hardly_leaves(file: Path) -> None:
    file.write_text(
        GOOD + "\n[home]\nceilings_hours = [6, 10, 24]\n[home.limits]\nhardly_leaves = true\n"
    )
    household = load(file).household()
    assert household.ceilings == (6 * HOUR, 10 * HOUR, 24 * HOUR)
    assert household.limits.no_exit is None


def test_the_low_intrusion_group_has_its_own_ceilings(file: Path) -> None:
    file.write_text(GOOD + '\n[home]\nrisk_group = "low-intrusion"\n')
    assert load(file).household().ceilings == CEILINGS[RiskGroup.LOW_INTRUSION]


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        (("[hub]", "[hub]\nidd = 1"), "hub.idd", "did you mean id?"),
        (("[hub]", "[hub]\ncolour = 1"), "hub.colour", "known here are: id, tenant"),
        (("[hub]", "[huub]\nx=1\n[hub]"), "huub", "did you mean hub?"),
        (('tenant = "town"', ""), "hub.tenant", "add it"),
        (('tenant = "town"', "tenant = 3"), "hub.tenant", "text in quotation marks"),
        (('tenant = "town"', 'tenant = "a/b"'), "hub.tenant", "letters, digits"),
        (('data = "data"', "data = 3"), "hub.data", "text in quotation marks"),
        (('data = "data"', 'data = ""'), "hub.data", "fill it in"),
        (('data = "data"', 'language = "fr"'), "hub.language", "one of: ko, en"),
        (('host = "localhost"', 'host = "localhost"\nport = 70000'), "centre.port", "<= 65535"),
        (('host = "localhost"', 'host = ""'), "centre.host", "fill it in"),
        (
            ('host = "localhost"', 'host = "localhost"\nheartbeat_s = "5 min"'),
            "centre.heartbeat_s",
            "a whole number",
        ),
        (('ca = "ca.pem"', 'ca = "other.pem"'), "centre.ca", "put it there"),
        (('ca = "ca.pem"', 'ca = "."'), "centre.ca", "put it there"),
        (
            ('centre-1 = "centre-1.pub.pem"', 'centre-1 = "gone.pem"'),
            "centre.keys.centre-1",
            "put it there",
        ),
        (('centre-1 = "centre-1.pub.pem"', "centre-1 = 4"), "centre.keys", "text in quotation"),
        (('centre-1 = "centre-1.pub.pem"', ""), "centre.keys", "fill it in"),
        (('kind = "motion"', 'kind = "motoin"'), "sensors[0].kind", "one of: motion, contact"),
        (
            ('kind = "motion"', 'kind = "motion"\n[[sensors]]\nid = "living"\nkind = "use"'),
            "sensors[1].id",
            "its own id",
        ),
        (('id = "living"', 'id = "AA-BB-CC-11-22-33"'), "sensors[0].id", "pseudonym"),
        (('id = "living"', 'id = "aabbcc112233"'), "sensors[0].id", "pseudonym"),
        (
            ('kind = "motion"', 'kind = "motion"\nsupervision = "beacon"'),
            "sensors[0].interval_s",
            "seconds between",
        ),
        (('kind = "motion"', 'kind = "motion"\ninterval_s = 5'), "sensors[0].interval_s", "remove"),
        (
            ('kind = "motion"', 'kind = "motion"\nsupervision = "event-only"\ninterval_s = 0'),
            "sensors[0].interval_s",
            "> 0",
        ),
        (('kind = "motion"', 'kind = "help"'), "sensors", "wired, or a beacon"),
        (
            ('kind = "motion"', 'kind = "motion"\nsupervision = "beacon"\ninterval_s = 300'),
            "sensors",
            "at most 60",
        ),
        (("[hub]", "[home]\nceilings_hours = [9, 12, 24]\n[hub]"), "home.ceilings_hours[0]", "8"),
        (("[hub]", "[home]\nceilings_hours = [8, 8, 24]\n[hub]"), "home.ceilings_hours[1]", "lar"),
        (("[hub]", "[home]\nceilings_hours = [0, 8, 24]\n[hub]"), "home.ceilings_hours[0]", "abo"),
        (("[hub]", "[home]\nceilings_hours = [1, 8]\n[hub]"), "home.ceilings_hours", "3 values"),
        (("[hub]", "[home]\nceilings_hours = [1, 8, nan]\n[hub]"), "home.ceilings_hours[2]", "ord"),
        (("[hub]", "[model]\nenabled = 1\n[hub]"), "model.enabled", "true or false"),
        (("[hub]", '[model]\npath = "gone.tflite"\n[hub]'), "model.path", "put it there"),
        (("[hub]", '[recording]\npath = "gone.csv"\n[hub]'), "recording.path", "put it there"),
        (("[hub]", "[home.limits]\naway_too_long_hours = 100\n[hub]"), "home.limits.away", "72"),
        (("[hub]", "hub = 3"), "hub", "a table"),
        (("[[sensors]]", "[sensors]"), "sensors", "[[double brackets]]"),
        (("[hub]", "[hub"), "line 2", "correct that line"),
        (("[hub]", '["a\\nb"]\nx=1\n[hub]'), "a?b", "known here are"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_and_remedy(
    file: Path, change: tuple[str, str], key: str, remedy: str
) -> None:
    assert change[0] in GOOD
    file.write_text(GOOD.replace(*change))
    line = refused(file)
    assert line.startswith(key)
    assert remedy in line


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"\xff\xfe[hub]", "line 1: this is not UTF-8"),
        (b'[hub]\nid = "\xc7\xd1"', "line 2: this is not UTF-8"),
        (b"x = " + b"[" * 100_000, "not valid TOML"),
        (b"x = 1" + b"0" * 10_000, ""),
        (b"# " + b"x" * 300_000, "larger than 256 kB"),
        (b"", "hub: this key is missing"),
        (b"\x00", "not valid TOML"),
    ],
    ids=["utf-16", "euc-kr", "deep", "huge number", "large", "empty", "nul"],
)
def test_what_is_no_settings_file_is_one_line_too(tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(raw)
    assert says in refused(path)


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_good(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(file).hub.id == "hub-1"


def test_a_missing_file_a_folder_and_a_pipe_are_one_line(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "gone.toml")
    assert "; " in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.toml")
    assert "not a file" in refused(tmp_path / "pipe.toml")


def test_a_second_broker_brings_what_differs_and_its_files_are_looked_for(file: Path) -> None:
    second = '\n[centre.second]\nhost = "other.example"\n'
    file.write_text(GOOD + second)
    centre = load(file).centre
    assert centre is not None
    assert centre.second is not None
    assert (centre.second.host, centre.second.port, centre.second.ca) == (
        "other.example",
        8883,
        None,
    )
    file.write_text(GOOD + second + 'ca = "gone.pem"\n')
    assert refused(file).startswith("centre.second.ca: ")
    file.write_text(GOOD + second + 'certificate = "hub.pem"\n')
    assert "belong together" in refused(file)


def test_a_file_without_a_centre_is_good_for_a_replay_only(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[hub]\nid = "h"\ntenant = "t"\n')
    assert load(path, for_run=False).centre is None
    assert refused(path).startswith("centre: ")


def test_the_line_is_told_in_korean_too(file: Path) -> None:
    file.write_text(GOOD.replace("[hub]", "[hub]\nidd = 1"))
    line = refused(file, language="ko")
    assert "hub.idd" in line
    assert "id" in line
    assert any("가" <= letter <= "힣" for letter in line)


def test_the_fingerprint_changes_with_any_setting_and_with_nothing_else(file: Path) -> None:
    first = fingerprint(load(file))
    file.write_text("# a remark\n" + GOOD)
    assert fingerprint(load(file)) == first
    file.write_text(GOOD + 'room = "living"\n')
    assert fingerprint(load(file)) != first


def test_the_page_about_settings_is_what_the_types_say(root: Path) -> None:
    assert (root / "docs" / "settings.md").read_text() == page(), "run: make docs"
    assert (root / "docs" / "settings.ko.md").read_text() == page("ko"), "run: make docs"


def test_a_recorded_home_brings_its_sensors_and_the_file_counts_more(file: Path) -> None:
    settings = load(file)
    mine = settings.sensors[0].sensor()
    recorded = (
        Sensor(mine.id, Kind.OCCUPANCY, Room.OTHER),
        Sensor("theirs", Kind.MOTION, Room.BATH),
    )
    sensors = settings.household(recorded).sensors
    assert [sensor.id for sensor in sensors] == [mine.id, "theirs"]
    assert (sensors[0].kind, sensors[0].source) == (mine.kind, "recording")
