"""A hub whose settings are damaged goes on with the last good copy and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.errors import SettingsError
from gateway.settings import changed, load_for_run, stamp

GOOD = """
[hub]
id = "hub-1"
tenant = "town"
data = "data"

[centre]
host = "localhost"
ca = "pem"
certificate = "pem"
key = "pem"
[centre.keys]
centre-1 = "pem"

[[sensors]]
id = "living"
kind = "motion"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "pem").write_text("x")
    path = tmp_path / "ansim.toml"
    path.write_text(GOOD)
    return path


def test_a_good_file_runs_and_leaves_a_copy_that_nobody_else_reads(file: Path) -> None:
    loaded = load_for_run(file)
    assert loaded.damaged is None
    copy = file.parent / "data" / "settings.last-good.toml"
    assert copy.read_text() == GOOD
    assert copy.stat().st_mode & 0o077 == 0
    assert not list(copy.parent.glob("*.new"))


@pytest.mark.parametrize(
    "damage",
    [b"[hub\n", b"\xff\xff", b"", GOOD[: len(GOOD) // 2].encode(), None],
    ids=["broken", "binary", "empty", "half", "gone"],
)
def test_a_damaged_file_gives_way_to_the_last_good_copy(file: Path, damage: bytes | None) -> None:
    data = file.parent / "data"
    good = load_for_run(file, data)
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    loaded = load_for_run(file, data)
    assert loaded.settings == good.settings
    assert loaded.damaged is not None
    assert str(file) in loaded.damaged
    assert "\n" not in loaded.damaged


def test_a_damaged_file_still_says_where_its_copy_is(file: Path) -> None:
    load_for_run(file)
    file.write_text(GOOD.replace("[centre]", "[centre"))
    assert load_for_run(file).settings.hub.id == "hub-1"


def test_a_missing_certificate_is_damage_and_the_watch_goes_on(file: Path) -> None:
    load_for_run(file)
    (file.parent / "pem").unlink()
    loaded = load_for_run(file)
    assert loaded.damaged is not None
    assert "centre.ca" in loaded.damaged
    assert loaded.settings.hub.id == "hub-1"


def test_without_a_good_copy_there_is_an_error(file: Path) -> None:
    file.write_text("[hub")
    with pytest.raises(SettingsError, match=r"ansim\.toml"):
        load_for_run(file, file.parent / "data")


def test_a_damaged_copy_counts_as_none_and_the_error_is_about_the_file(file: Path) -> None:
    load_for_run(file)
    (file.parent / "data" / "settings.last-good.toml").write_bytes(b"\xff")
    file.write_text('data = "data"\n[hub\n')
    with pytest.raises(SettingsError, match=r"ansim\.toml: line 2"):
        load_for_run(file)


def test_a_person_gets_the_error_at_once(file: Path) -> None:
    load_for_run(file)
    file.write_text("[hub")
    with pytest.raises(SettingsError):
        load_for_run(file, file.parent / "data", by_person=True)


def test_the_command_line_may_name_the_data_folder(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert load_for_run(file, elsewhere).settings.hub.data == elsewhere
    assert (elsewhere / "settings.last-good.toml").exists()


def test_a_data_folder_that_cannot_be_written_does_not_stop_good_settings(file: Path) -> None:
    (file.parent / "data").write_text("a file in the way")
    assert load_for_run(file).damaged is None


def test_a_mended_file_is_the_new_good_copy(file: Path) -> None:
    load_for_run(file)
    file.write_text("[hub")
    assert load_for_run(file, file.parent / "data").damaged is not None
    file.write_text(GOOD.replace("hub-1", "hub-2"))
    assert load_for_run(file).damaged is None
    file.write_text("[hub")
    assert load_for_run(file, file.parent / "data").settings.hub.id == "hub-2"


def test_a_running_hub_notices_that_its_file_was_saved_replaced_or_removed(file: Path) -> None:
    before = stamp(file)
    assert not changed(file, before)
    file.write_text(GOOD + "# more\n")
    assert changed(file, before)
    before = stamp(file)
    fresh = file.with_suffix(".fresh")
    fresh.write_text(GOOD + "# more\n")
    fresh.replace(file)
    assert changed(file, before)
    before = stamp(file)
    file.unlink()
    assert changed(file, before)
    assert not changed(file, stamp(file))
