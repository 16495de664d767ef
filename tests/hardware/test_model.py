"""Test whether the network runs on the guest's processor with the wheels that a hub gets."""

from __future__ import annotations

from tests.hardware.machine import Machine

ASK = """
import json, platform, time
began = time.monotonic()
from gateway import inference
predictor = inference.load(None)
print(json.dumps({"machine": platform.machine(), "fingerprint": predictor.fingerprint,
                  "seconds": round(time.monotonic() - began, 1)}))
"""


def test_model_is_loaded_on_this_processor(machine: Machine, figures: dict[str, object]) -> None:
    told = machine.run("python3", "-c", ASK).lines[-1]
    assert told["machine"] == {"amd64": "x86_64", "arm64": "aarch64"}[machine.tier.name]
    figures["the model loaded, s"] = told["seconds"]
