"""``ansim evaluate`` as somebody calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.languages.terminal import columns
from models.homes import Plan, generate, write

HOMES = Path(os.environ.get("ANSIM_HOMES", "../shared/data"))


def evaluate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", "evaluate", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("homes")
    return [
        write(generate(Plan(seed=seed, days=24, events_per_day=120)), folder, f"home-{seed}")
        for seed in (1, 2)
    ]


def test_the_same_question_has_the_same_answer_on_one_core_and_on_two(homes: list[Path]) -> None:
    asked: list[str | Path] = ["--cuts", "80", "--json", *homes]
    one, two = evaluate(*asked, "--processes", "1"), evaluate(*asked, "--processes", "2")
    assert (one.returncode, one.stderr) == (0, "")
    assert one.stdout == two.stdout
    told = json.loads(one.stdout)
    assert told["schema"] == "ansim.evaluation.v1"
    assert [home["home"] for home in told["homes"]] == ["home-1", "home-2"]
    assert set(told["pooled"]["delay_hours"]) == {
        "median", "mean", "p90", "max", "day_median", "night_median",
    }  # fmt: skip
    assert told["pooled"]["home_months"] == pytest.approx(
        sum(home["home_months"] for home in told["homes"]), abs=0.002
    )
    assert not any(home["in_sample"] for home in told["homes"])
    assert set(told["pooled"]["intervals"]) == {"false_alarms_per_home_month", "mean", "p90"}


def test_a_question_comes_before_the_centre_is_told(homes: list[Path]) -> None:
    told = json.loads(evaluate("--cuts", "150", "--json", homes[0]).stdout)
    asked = json.loads(evaluate("--cuts", "150", "--stage", "1", "--json", homes[0]).stdout)
    assert asked["pooled"]["delay_hours"]["mean"] < told["pooled"]["delay_hours"]["mean"]


def test_asking_is_told_with_its_assumption(homes: list[Path]) -> None:
    text = evaluate("--cuts", "60", "--answers", "0.8", homes[0])
    assert text.returncode == 0
    assert "assumed: a question is answered with probability 0.8" in text.stdout
    assert "questions a home-week" in text.stdout
    assert all(len(line) <= 80 for line in text.stdout.splitlines())


def test_the_same_is_told_in_korean_within_80_columns(
    homes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    text = evaluate("--cuts", "60", "--answers", "0.8", homes[0])
    assert text.returncode == 0
    assert "가구·월당 오경보" in text.stdout
    assert "false alarms" not in text.stdout
    assert all(columns(line) <= 80 for line in text.stdout.splitlines())


def test_published_methods_and_the_curve_come_from_the_same_run(
    homes: list[Path], tmp_path: Path
) -> None:
    picture = tmp_path / "curve.png"
    run = evaluate(
        "--cuts", "60", "--json", "--baselines", "--curve", "--curve-file", picture, homes[0]
    )
    told = json.loads(run.stdout)
    names = {row["name"] for row in told["baselines"]}
    assert {"cuddihy", "floeck-litz", "moshtaghi"} <= names
    assert len(told["curve"]) > 4
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_bad_recording_is_one_line_and_exit_code_four(tmp_path: Path, homes: list[Path]) -> None:
    gone = evaluate(homes[0], tmp_path / "gone.csv.gz")
    assert gone.returncode == 4
    assert len(gone.stderr.splitlines()) == 1
    assert evaluate().returncode == 2
    assert evaluate("--answers", "1.5", homes[0]).returncode == 2


@pytest.mark.skipif(not HOMES.is_dir(), reason=f"no recorded homes in {HOMES}; set ANSIM_HOMES")
def test_a_recording_of_the_model_is_in_sample_unless_folds_are_used() -> None:
    home = HOMES / "mit_s2.csv.gz"
    for folds, in_sample in (((), True), (("--folds",), False)):
        run = evaluate("--cuts", "20", "--learn-days", "7", "--json", *folds, home)
        assert json.loads(run.stdout)["homes"][0]["in_sample"] is in_sample
