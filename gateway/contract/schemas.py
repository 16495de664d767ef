"""JSON Schemas (2020-12) of whole messages, generated from the types: one source, no drift."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import msgspec

from gateway.contract.messages import EVENTS, Answer, CentreStateData

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SIGNED: dict[str, type[Answer | CentreStateData]] = {
    "answer": Answer,
    "centre-state": CentreStateData,
}
"""What is signed, by name: the payload inside the token."""

NAMES: tuple[str, ...] = (*EVENTS, *SIGNED)
"""Every schema; for a hub's message the last word of its topic."""

_LEVELS = {"alert": {"minimum": 1}, "event": {"const": 0}}
"""Which levels a topic carries: the types share one AlertData."""

_RECEIPT_RULES: list[dict[str, Any]] = [
    {
        "if": {"properties": {"state": {"const": "closed"}}},
        "then": {"required": ["outcome"], "properties": {"outcome": {"type": "string"}}},
    },
    {
        "if": {"properties": {"state": {"const": "rejected"}}},
        "then": {"required": ["reason"], "properties": {"reason": {"type": "string"}}},
    },
]
"""What the types cannot say and decode_answer checks."""


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of one whole message (envelope and data), or of a signed payload. It is shared:
    do not change it."""
    message = EVENTS[name] if name in EVENTS else SIGNED[name]
    (root,), components = msgspec.json.schema_components([message], ref_template="#/$defs/{name}")
    body = components.pop(root["$ref"].removeprefix("#/$defs/"))
    if name in EVENTS:
        _complete(body)
    if name in _LEVELS:
        body["properties"]["data"]["properties"] = {"level": _LEVELS[name]}
    if "AlertReceipt" in components:
        components["AlertReceipt"]["allOf"] = _RECEIPT_RULES
    document: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"urn:ansim:message:{name}:v1",
        **body,
        **({"$defs": dict(sorted(components.items()))} if components else {}),
    }
    _tidy(document)
    return document


def _complete(body: dict[str, Any]) -> None:
    """On the wire the envelope is always complete. msgspec lists a field that can have only one
    value as having it by default; here it is required, and a default would mislead."""
    for field in body["properties"].values():
        field.pop("default", None)
    body["required"] = list(body["properties"])


def _tidy(node: Any) -> None:
    """Plain JSON Schema for any validator: no word of OpenAPI, one value as ``const``."""
    if isinstance(node, list):
        for child in node:
            _tidy(child)
    elif isinstance(node, dict):
        node.pop("discriminator", None)
        match node.get("enum"):
            case [only]:
                del node["enum"]
                node["const"] = only
        description = node.get("description")
        if isinstance(description, str):
            node["description"] = inspect.cleandoc(description).replace("``", "`")
        for child in node.values():
            _tidy(child)
