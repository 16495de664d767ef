"""The packaged model: loaded, proven, refused when it is not itself."""

from __future__ import annotations

import json
import shutil
import subprocess
from array import array
from pathlib import Path

import pytest

from gateway.domain.errors import ModelError
from gateway.domain.sensor import Room
from gateway.engine.features import FEATURES, rows
from gateway.engine.habits import Habits
from gateway.engine.outlook import Knobs, outlook
from gateway.engine.prior import ANYWHERE
from gateway.engine.stopping import ROWS
from gateway.inference import CARD, MODEL, load, read_card
from models.evaluation.folds import FOLDS
from tests.support.answers import answers

MODELS = [MODEL, *sorted(FOLDS.glob("*.tflite"))]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(CARD, tmp_path / "inactivity.json")
    return Path(shutil.copy(MODEL, tmp_path / "inactivity.tflite"))


def change(card: Path, **changes: object) -> None:
    card.write_text(json.dumps(json.loads(card.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_a_committed_model_answers_as_its_card_says_to_the_bit(model: Path) -> None:
    network, card = load(model), read_card(model.with_suffix(".json"))
    asked = array("f", [value for row in card.golden.rows for value in row])
    assert network.logits(asked) == card.golden.logits
    assert network.fingerprint == card.sha256[:16]


def test_the_other_runtime_gives_the_same_bits(root: Path, other_python: Path) -> None:
    told = subprocess.run(
        [other_python, "-m", "tests.support.answers", *MODELS],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines() == [answers(model) for model in MODELS]


def test_the_shipped_prior_is_that_of_the_shipped_model() -> None:
    assert load().silences == ANYWHERE


@pytest.mark.parametrize("count", [0, 1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS])
def test_any_number_of_rows_is_answered_one_by_one(count: int) -> None:
    network = load()
    row = rows(Habits().profile, Habits().start(1.7e9, Room.BED))[:FEATURES]
    answers = network.hazard(row * count)
    assert len(answers) == count
    assert len(set(answers)) <= 1
    assert all(0.0 < answer < 1.0 for answer in answers)


def test_the_model_carries_an_outlook() -> None:
    habits = Habits()
    habits.event(1.7e9, Room.KITCHEN, entrance=False)
    view = outlook(habits, habits.start(1.7e9, Room.KITCHEN), load(), Knobs())
    assert view.by == "network+kernel"
    assert len(view.hazards) == ROWS


def test_a_changed_model_is_refused(copy: Path) -> None:
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(ModelError, match="not the model that its card names") as raised:
        load(copy)
    assert raised.value.reason == "hash"


def test_a_model_that_answers_otherwise_is_refused(copy: Path) -> None:
    golden = json.loads(CARD.read_text("utf-8"))["golden"]
    golden["logits"][0] += 0.001
    change(copy.with_suffix(".json"), golden=golden)
    with pytest.raises(ModelError) as raised:
        load(copy)
    assert raised.value.reason == "golden"


def test_a_model_of_another_shape_is_refused(copy: Path) -> None:
    change(copy.with_suffix(".json"), rows=100)
    with pytest.raises(ModelError) as raised:
        load(copy)
    assert raised.value.reason == "shape"


def test_what_is_no_model_is_refused(copy: Path) -> None:
    import hashlib

    copy.write_bytes(b"no model")
    change(copy.with_suffix(".json"), sha256=hashlib.sha256(b"no model").hexdigest())
    with pytest.raises(ModelError) as raised:
        load(copy)
    assert raised.value.reason == "load"


@pytest.mark.parametrize("card", ["", "{}", "[1]", '{"sha256": 1}', "\udcff"])
def test_a_damaged_card_is_refused(copy: Path, card: str) -> None:
    copy.with_suffix(".json").write_bytes(card.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelError) as raised:
        load(copy)
    assert raised.value.reason == "card"


def test_a_card_without_silences_is_refused_with_a_remedy(copy: Path) -> None:
    card = copy.with_suffix(".json")
    content = json.loads(card.read_text("utf-8"))
    del content["silences"]
    card.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ModelError, match=r"`silences`.*install the package again") as raised:
        load(copy)
    assert raised.value.reason == "card"


@pytest.mark.parametrize(
    "silence", [[1_440, 30, 0, 1.0], [0, 0, 0, 1.0], [0, 30, 8, 1.0], [0, 30, 0, 0.0], [0, 30, 0]]
)
def test_silences_that_cannot_be_are_refused(copy: Path, silence: list[float]) -> None:
    change(copy.with_suffix(".json"), silences=[silence])
    with pytest.raises(ModelError):
        load(copy)


def test_a_card_with_no_silence_is_refused(copy: Path) -> None:
    change(copy.with_suffix(".json"), silences=[])
    with pytest.raises(ModelError):
        load(copy)


@pytest.mark.parametrize("suffix", [".json", ".tflite"])
def test_a_missing_file_is_named(copy: Path, suffix: str) -> None:
    copy.with_suffix(suffix).unlink()
    with pytest.raises(ModelError, match=f"inactivity{suffix}"):
        load(copy)


@pytest.mark.parametrize(
    "asked", [array("f", [0.0] * (FEATURES + 1)), array("d", [0.0] * FEATURES)]
)
def test_rows_of_the_wrong_kind_are_refused(asked: array[float]) -> None:
    with pytest.raises(ModelError):
        load().hazard(asked)


def test_numbers_that_are_none_are_no_answer() -> None:
    with pytest.raises(ModelError):
        load().hazard(array("f", [float("nan")] * FEATURES))
