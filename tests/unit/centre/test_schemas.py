"""Our check of the published schemas says what the jsonschema library says."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract.messages import EVENTS
from gateway.contract.schemas import schema
from gateway.domain.alert import AlertType, Level
from provisioning.centre.schemas import compile_schema, compiled
from tests.support.centre_rig import Words

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 6),
    st.sampled_from([1.0, 2.5, "", "x", "true", "raised", "alert", 1e300, "000000000001", [], {}]),
    st.lists(st.sampled_from([1, "a", None])),
    st.dictionaries(st.sampled_from(["level", "a"]), st.sampled_from([1, "a", None])),
    st.text(max_size=300),
)


def examples() -> dict[str, Any]:
    words = Words()
    birth = words.encoder.birth_data(
        words.household, version="0.1", settings="s", model=None, heartbeat_s=300
    )
    return {
        "alert": json.loads(words.alert()),
        "event": json.loads(words.alert(level=Level.NOTE, kind=AlertType.VISIT)),
        "telemetry": json.loads(words.summary()),
        "hb": json.loads(words.heartbeat()),
        "state": json.loads(words.state("online")),
        "birth": json.loads(words.encoder.birth(birth, 1, words.instant())),
        "alarms": json.loads(words.encoder.alarms([], 1, words.instant())),
    }


def places(node: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value in a document."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(node, dict | list):
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            pairs += [(node, key), *places(node[key])]
    return pairs


def test_there_is_an_example_of_every_message_and_it_fits() -> None:
    known = examples()
    assert known.keys() == EVENTS.keys()
    for leaf, message in known.items():
        assert compiled(leaf)(message) is None


@pytest.mark.parametrize("leaf", sorted(EVENTS))
@given(data=st.data())
def test_a_changed_message_is_judged_as_the_library_judges_it(
    leaf: str, data: st.DataObject
) -> None:
    message = copy.deepcopy(EXAMPLES[leaf])
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = data.draw(st.sampled_from(places(message)))
        if data.draw(st.booleans()) or isinstance(container, list):
            container[key] = data.draw(VALUES)
        else:
            container.pop(key, None)
        if not places(message):
            break
    assert (compiled(leaf)(message) is None) == ORACLES[leaf].is_valid(message)


def test_a_word_that_is_not_known_is_no_check_left_out() -> None:
    with pytest.raises(ValueError, match="multipleOf"):
        compile_schema({"type": "integer", "multipleOf": 3})


EXAMPLES = examples()
ORACLES = {leaf: jsonschema.Draft202012Validator(schema(leaf)) for leaf in EVENTS}
