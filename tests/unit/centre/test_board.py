"""The board fits 80 columns, tells what is the case, and keys do what they say."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from gateway.contract import samples
from gateway.domain.alert import AlertState, AlertType, Level
from provisioning.centre import reading
from provisioning.centre.board import Board, ago
from provisioning.centre.receive import Receiver
from provisioning.centre.store import Store
from tests.support.broker import TENANT
from tests.support.centre_rig import Words

NOW = 1_700_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path)
    receiver = Receiver(opened, TENANT, wall=lambda: NOW)
    for number in range(30):
        words = Words(f"hub-{number:03d}")
        up = f"ansim/v1/{TENANT}/{words.hub}/up/"
        receiver.take([(up + "hb", words.heartbeat())])
        if number < 3:
            receiver.take([(up + "alert", words.alert(level=Level(number + 2)))])
    reading.judged(opened, {"hub-000": (True, ""), "hub-001": (False, "lost")}, NOW)
    yield opened
    opened.close()


def drawn(board: Board, width: int = 80, height: int = 24) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(board.draw(console))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_the_screen(store: Store, language: str, width: int) -> None:
    lines = drawn(Board(store, language=language, by="op"), width)
    assert all(cell_len(line) <= width for line in lines)
    assert len(lines) <= 24


def test_it_tells_homes_levels_and_who_is_not_watched(store: Store) -> None:
    text = "\n".join(drawn(Board(store, language="en", by="op"), 100))
    assert "Homes 30, watching 1" in text
    assert "emergency(4) 1" in text
    assert "NO: connection lost" in text
    assert "Oldest heartbeat" in text
    assert "homes" in text


def test_it_tells_of_versions_that_were_made_anew(store: Store) -> None:
    assert "remade" not in "\n".join(drawn(Board(store, language="en", by="op"), 100))
    after = Words("hub-000", boot="b0000002-1")
    receiver = Receiver(store, TENANT, wall=lambda: NOW)
    receiver.take([(f"ansim/v1/{TENANT}/{after.hub}/up/alert", after.alert(at=9.0))])
    assert "remade alerts 1" in "\n".join(drawn(Board(store, language="en", by="op"), 100))


def test_keys_accept_and_close_the_chosen_alert(store: Store) -> None:
    board = Board(store, language="en", by="op-1")
    board.key("a")  # the highest first
    board.key("j")
    for key in "c12":
        board.key(key)
    given = store.db.execute("SELECT hub, state, by, outcome, service FROM answers").fetchall()
    assert given == [
        ("hub-002", "accepted", "op-1", None, None),
        ("hub-001", "closed", "op-1", "true", "call"),
    ]


def test_a_wrong_key_closes_nothing(store: Store) -> None:
    board = Board(store, language="en", by="op-1")
    for key in ("c", "9", "c", "\x1b", "c", "1", "x", "?"):
        assert board.key(key)
    assert store.db.execute("SELECT count(*) FROM answers").fetchone() == (0,)
    assert not board.key("q")


def test_an_empty_centre_has_a_board(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "empty")
    assert any("No open alert." in line for line in drawn(Board(store, language="en", by="op")))
    store.close()


def test_an_alert_that_ended_leaves_the_board(store: Store) -> None:
    words = Words("hub-002")
    words.heads["alert"] = 1
    over = words.alert(version=2, state=AlertState.CLOSED, kind=AlertType.SMOKE, is_open=False)
    Receiver(store, TENANT, wall=lambda: NOW).take([(f"ansim/v1/{TENANT}/hub-002/up/alert", over)])
    assert "hub-002" not in {line.hub for line in reading.alerts(store)}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (-5, "0s"), (119, "119s"), (720, "12m"), (9e4, "25h"), (9e5, "10d")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_the_chosen_alert_is_explained(tmp_path: Path) -> None:
    with contextlib.closing(Store.open(tmp_path)) as opened:
        up = f"ansim/v1/{TENANT}/{samples.HUB}/up/alert"
        receiver = Receiver(opened, TENANT, wall=lambda: NOW)
        receiver.take([(up, samples.encoder().alert(samples.QUIET_WARNING, 1))])
        for language, said in (("en", "No movement for 12 h."), ("ko", "12시간 동안 움직임이")):
            for width in (80, 120):
                lines = drawn(Board(opened, language=language, by="op"), width)
                assert said in "\n".join(lines)
                assert all(cell_len(line) <= width for line in lines)
                assert len(lines) <= 24
