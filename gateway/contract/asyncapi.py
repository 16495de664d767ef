"""The AsyncAPI 3.0 description, generated from the types and topics.

JSON rather than YAML: every YAML reader reads it, and it needs no library to be written.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from gateway.contract.fields import CONTRACT, MAX_BYTES
from gateway.contract.messages import EVENTS
from gateway.contract.topics import HEARTBEAT_EXPIRY, PREFIX, RETAINED

JSON_TYPE = "application/json"
CLOUDEVENT = "application/cloudevents+json"
TOKEN = "application/jose"  # noqa: S105 - a media type (RFC 7515, section 9.2.1)


class Signed(NamedTuple):
    """A signed message: where it goes, what is inside, which ``typ`` its header has."""

    channel: str
    address: str
    message: str
    schema: str
    typ: str
    summary: str
    retain: bool


SIGNED = (
    Signed(
        "answer",
        f"{PREFIX}/{{tenant}}/{{hub}}/dn/ack",
        "Answer",
        "answer",
        "ansim-answer",
        "What the centre says about alerts and records: a JWS in compact form.",
        retain=False,
    ),
    Signed(
        "centreState",
        f"{PREFIX}/{{tenant}}/centre/state/{{centre}}",
        "CentreState",
        "centre-state",
        "ansim-centre-state",
        "Whether a centre process is there: a JWS in compact form; offline is its last will.",
        retain=True,
    ),
)

_PARAMETERS = {
    "tenant": "the town's word",
    "hub": "the hub's random pseudonym, also the CN of its certificate",
    "centre": "the centre process's id, also the kid of its signatures",
}


def document() -> dict[str, Any]:
    """The whole file."""
    channels: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for leaf, event in EVENTS.items():
        summary = inspect.cleandoc(event.__doc__ or "").replace("``", "`")
        channels[leaf] = _channel(f"{PREFIX}/{{tenant}}/{{hub}}/up/{leaf}", event.__name__, summary)
        messages[event.__name__] = {
            "name": f"kr.ansim.{leaf}.v1",
            "title": event.__name__,
            "summary": summary,
            "contentType": CLOUDEVENT,
            "payload": {"$ref": f"./schemas/{leaf}.json"},
        }
        expiry = {"messageExpiryInterval": HEARTBEAT_EXPIRY} if leaf == "hb" else {}
        operations[f"receive-{leaf}"] = _operation(
            "receive", leaf, event.__name__, retain=leaf in RETAINED, **expiry
        )
    for one in SIGNED:
        channels[one.channel] = _channel(one.address, one.message, one.summary)
        messages[one.message] = {
            "name": one.typ,
            "title": one.message,
            "summary": one.summary,
            "contentType": TOKEN,
            "description": "The schema is that of the payload inside the token; the token's header "
            f'is {{"alg":"EdDSA","kid":"<centre>","typ":"{one.typ}"}}.',
            "payload": {
                "type": "string",
                "maxLength": MAX_BYTES,
                "pattern": "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{86}$",
                "contentMediaType": JSON_TYPE,
                "contentSchema": {"$ref": f"./schemas/{one.schema}.json"},
            },
        }
        operations[f"send-{one.channel}"] = _operation(
            "send", one.channel, one.message, retain=one.retain
        )
    return {
        "asyncapi": "3.0.0",
        "id": "urn:ansim:contract:v1",
        "info": {
            "title": "Ansim Gateway: hub and monitoring centre",
            "version": CONTRACT,
            "description": "Seen from the centre: it receives what hubs say and sends signed "
            "answers. The words are in docs/centre.md.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON_TYPE,
        "servers": {
            "broker": {
                "host": "broker.example:8883",
                "protocol": "secure-mqtt",
                "protocolVersion": "5.0",
                "description": "MQTT 5, or 3.1.1; TLS 1.2 or newer with certificates on both sides",
                "security": [{"$ref": "#/components/securitySchemes/certificate"}],
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "securitySchemes": {
                "certificate": {
                    "type": "X509",
                    "description": "Client certificate of the town's authority; CN is centre-<id>",
                }
            },
        },
    }


def _channel(address: str, message: str, summary: str) -> dict[str, Any]:
    return {
        "address": address,
        "summary": summary,
        "parameters": {
            name: {"description": text}
            for name, text in _PARAMETERS.items()
            if f"{{{name}}}" in address
        },
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
    }


def _operation(
    action: str, channel: str, message: str, *, retain: bool, **binding: int
) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
        "bindings": {
            "mqtt": {"qos": 1, "retain": retain, **binding, "bindingVersion": "0.2.0"},
        },
    }
