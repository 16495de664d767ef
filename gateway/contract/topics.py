"""Topics. Nothing personal fits into one: a pseudonym is all that a broker's log can show."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from gateway.domain.errors import ContractError

PREFIX = "ansim/v1"

UP = ("state", "birth", "hb", "alert", "alarms", "telemetry", "event")
"""Last words of a hub's topics upwards."""

DOWN = ("ack", "cmd")
"""Last words downwards."""

RETAINED = frozenset({"state", "birth", "alarms"})
"""What the broker keeps for those who come later; an alert, answer or command never."""

HEARTBEAT_EXPIRY = 900
"""Seconds after which a broker (MQTT 5) drops an undelivered heartbeat: it says nothing any more
(requirements, section 6)."""

SHORTEST, LONGEST = 2, 32
"""Characters of a pseudonym."""

PSEUDONYM = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""Lower-case letters, digits and single hyphens. A Korean name, a capital, a space, a wildcard
or a path does not fit."""

_HARDWARE_ADDRESS = re.compile(r"(?:[0-9a-f]{2}-?){6}")
_RESERVED = ("centre", "broker")
"""First words of other certificates' names; a hub so named would speak with their rights."""


def pseudonym(text: str) -> str:
    """``text`` if it can stand for a town, hub or centre in a topic, else ContractError."""
    if not SHORTEST <= len(text) <= LONGEST or PSEUDONYM.fullmatch(text) is None:
        raise ContractError(
            "not a pseudonym; use 2 to 32 lower-case letters, digits and hyphens, a letter first",
            reason="bad-content",
        )
    if _HARDWARE_ADDRESS.fullmatch(text):
        raise ContractError(
            "a hardware address is no pseudonym; use a random one", reason="bad-content"
        )
    return text


def hub_id(text: str) -> str:
    """``text`` if it can stand for a hub: a pseudonym, and no name of a centre or broker."""
    if pseudonym(text).split("-")[0] in _RESERVED:
        raise ContractError(
            "a hub's id may not begin with centre or broker; use a random pseudonym",
            reason="bad-content",
        )
    return text


class HubTopic(Struct, frozen=True):
    """``ansim/v1/{tenant}/{hub}/{direction}/{leaf}``"""

    tenant: str
    hub: str
    direction: Literal["up", "dn"]
    leaf: str

    def __str__(self) -> str:
        return f"{PREFIX}/{self.tenant}/{self.hub}/{self.direction}/{self.leaf}"


class CentreTopic(Struct, frozen=True):
    """``ansim/v1/{tenant}/centre/state/{centre}``"""

    tenant: str
    centre: str

    def __str__(self) -> str:
        return f"{PREFIX}/{self.tenant}/centre/state/{self.centre}"


def up(tenant: str, hub: str, leaf: str) -> str:
    """Where a hub speaks."""
    return _hub_topic(tenant, hub, "up", leaf, UP)


def down(tenant: str, hub: str, leaf: str) -> str:
    """Where a hub listens."""
    return _hub_topic(tenant, hub, "dn", leaf, DOWN)


def centre_state(tenant: str, centre: str) -> str:
    """Where a centre says whether it is there."""
    return str(CentreTopic(pseudonym(tenant), pseudonym(centre)))


def hub_subscriptions(tenant: str, hub: str) -> tuple[str, str]:
    """What a hub subscribes to: its own answers and commands, and every centre's state."""
    return (
        f"{PREFIX}/{pseudonym(tenant)}/{hub_id(hub)}/dn/#",
        f"{PREFIX}/{pseudonym(tenant)}/centre/state/+",
    )


def centre_subscription(tenant: str) -> str:
    """What a centre subscribes to: all that its hubs say."""
    return f"{PREFIX}/{pseudonym(tenant)}/+/up/#"


def parse(topic: str) -> HubTopic | CentreTopic:
    """The parts of a topic. ContractError if it is none of ours; an unknown last word is not an
    error, because a newer hub may have one more."""
    parts = topic.split("/")
    match parts:
        case ["ansim", "v1", tenant, "centre", "state", centre]:
            return CentreTopic(pseudonym(tenant), pseudonym(centre))
        case ["ansim", "v1", tenant, hub, "up", leaf]:
            return HubTopic(pseudonym(tenant), hub_id(hub), "up", pseudonym(leaf))
        case ["ansim", "v1", tenant, hub, "dn", leaf]:
            return HubTopic(pseudonym(tenant), hub_id(hub), "dn", pseudonym(leaf))
    raise ContractError("not a topic of this contract; see docs/centre.md", reason="bad-format")


def _hub_topic(
    tenant: str, hub: str, direction: Literal["up", "dn"], leaf: str, leaves: tuple[str, ...]
) -> str:
    if leaf not in leaves:
        raise ContractError(
            f"no such topic; use one of {', '.join(leaves)}",
            reason="bad-content",
        )
    return str(HubTopic(pseudonym(tenant), hub_id(hub), direction, leaf))
