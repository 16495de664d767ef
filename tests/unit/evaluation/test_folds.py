"""A recorded home is measured with a model that has never seen its person."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.sensor import Room
from gateway.engine.habits import Habits
from gateway.engine.kernel import survival
from gateway.inference import CARD, load, read_card
from gateway.sensing import recording
from models.evaluation.folds import FOLDS, predictor_for

CARDS = sorted(FOLDS.glob("*.json"))
SHIPPED = read_card(CARD)
RECORDED = {name: home.sha256 for name, home in SHIPPED.data.recorded.items()}
folds = pytest.mark.parametrize("card", CARDS, ids=lambda path: path.stem)


def test_the_folds_leave_out_each_recorded_home_once() -> None:
    left_out = [read_card(path).left_out for path in CARDS]
    names = [name for fold in left_out if fold for name in fold.recordings]
    assert sorted(names) == sorted(RECORDED)


@folds
def test_a_fold_was_made_from_everybody_but_the_person_left_out(card: Path) -> None:
    fold = read_card(card)
    assert fold.left_out is not None
    assert fold.left_out.person == card.stem
    theirs = set(fold.left_out.recordings.values())
    seen = {home.sha256 for home in fold.data.recorded.values()}
    assert not theirs & seen
    assert theirs | seen == set(RECORDED.values())


@folds
def test_a_fold_begins_a_home_without_the_silences_of_the_person_left_out(card: Path) -> None:
    fold = load(card.with_suffix(".tflite"))
    assert fold.silences != SHIPPED.silences
    start = Habits().start(1.7e9, Room.BED)
    assert survival([], start, fold.silences) != survival([], start, SHIPPED.silences)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_of_the_card_is_in_sample_unless_folds_are_used(name: str) -> None:
    shipped, seen = predictor_for(RECORDED[name], folds=False)
    assert seen
    assert shipped.fingerprint == SHIPPED.sha256[:16]
    fold, seen = predictor_for(RECORDED[name], folds=True)
    assert not seen
    assert fold.fingerprint != shipped.fingerprint


def test_two_recordings_of_one_person_have_the_same_fold() -> None:
    first, second = (
        predictor_for(RECORDED[name], folds=True)[0] for name in ("aruba_1", "aruba_2")
    )
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("use", [True, False])
def test_a_recording_that_nobody_knows_is_measured_with_the_shipped_model(use: bool) -> None:
    network, seen = predictor_for("0" * 64, folds=use)
    assert not seen
    assert network.fingerprint == SHIPPED.sha256[:16]


def test_the_cards_name_the_recordings_by_their_fingerprint(homes: Path) -> None:
    record = recording.load(homes / "tm000.csv.gz")
    assert SHIPPED.was_made_from(record.fingerprint())
    assert not predictor_for(record.fingerprint(), folds=True)[1]
