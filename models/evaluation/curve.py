"""The trade-off: earlier against more false alarms, drawn beside what others published."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from gateway.domain.errors import ModelError
from models.evaluation.baselines import Row
from models.evaluation.measure import delay, rate

MULTIPLES = (0.25, 0.4, 0.63, 1.0, 1.6, 2.5, 4.0, 6.3)
"""Of the knobs as they come; 1 is the product."""

PUBLISHED = (("Wilhelm and Wahl 2024, own homes", 2.7, 5.38),)
"""Name, false alarms a home-month, mean delay in hours (Sensors 24:6583)."""


def draw(path: Path, points: Sequence[dict[str, Any]], rows: Sequence[Row], title: str) -> None:
    """Write a PNG. Raises ModelError where the drawing library is missing."""
    try:
        matplotlib = import_module("matplotlib")
    except ImportError:
        raise ModelError(
            "matplotlib is not installed; install ansim-gateway[curve] to draw.", reason="runtime"
        ) from None
    matplotlib.use("Agg")
    figure, axes = import_module("matplotlib.pyplot").subplots(figsize=(8, 5.5), dpi=120)
    shown = [p for p in points if p["mean"] is not None]
    for name, style in (("mean", "o-"), ("p90", "s--")):
        axes.plot(
            [p["false_alarms_per_home_month"] for p in shown],
            [p[name] for p in shown],
            style,
            label=f"Ansim Gateway, {name}",
        )
    for row in rows:
        mean = delay(row.results).mean
        if mean is not None:
            axes.plot([rate(row.results)], [mean], "x", color="grey")
            axes.annotate(row.name, (rate(row.results), mean), fontsize=7, color="grey")
    for name, alarms, mean in PUBLISHED:
        axes.plot([alarms], [mean], "*", color="black", markersize=10)
        axes.annotate(name, (alarms, mean), fontsize=7)
    axes.axvline(1.0, color="lightgrey", linewidth=1)
    axes.set_xlabel("false alarms a home-month")
    axes.set_ylabel("hours from the incapacitation to the alarm")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_title(title, fontsize=9)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)
