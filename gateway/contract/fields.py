"""What messages are made of: names, times, numbers, and the parts of an alert's data."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

CONTRACT = "1.0"
"""Version of the contract; one major version is kept for 24 months."""

MAX_BYTES = 8192
"""Largest message that a hub or a centre sends (requirements, section 6)."""

MAX_TEXT = 200
"""Longest sentence, in characters."""

MAX_EXPLAINED = 700
"""Longest explanation of an alert, in characters."""

MAX_NAME = 64
"""Longest name of a sensor, part, role or version, in characters."""

MAX_COUNTER = 2**53 - 1
"""Largest counter: what every JSON reader can hold exactly."""

Ulid = Annotated[str, Meta(max_length=26, pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
Time = Annotated[
    str,
    Meta(
        max_length=29,
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}"
        "[+-][0-9]{2}:[0-9]{2}$",
        description="ISO 8601, milliseconds, the home's offset: 2026-03-01T08:00:00.000+09:00",
    ),
]
CentreTime = Annotated[
    str, Meta(min_length=20, max_length=40, description="ISO 8601 with offset or Z")
]
Name = Annotated[str, Meta(max_length=MAX_NAME)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Explained = Annotated[str, Meta(max_length=MAX_EXPLAINED)]
Key = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern="^[!-~]+$")]
Level = Annotated[
    int, Meta(ge=0, le=4, description="0 note, 1 watch, 2 warning, 3 alarm, 4 emergency")
]
Version = Annotated[int, Meta(ge=1, description="1, 2, 3, ... within one alert_id")]
Count = Annotated[int, Meta(ge=0)]
SequenceText = Annotated[
    str,
    Meta(
        max_length=12,
        pattern="^[0-9]{12}$",
        description="twelve digits; counts within the lane, see the document; "
        "000000000000 only in a last will",
    ),
]


class Quiet(Struct, frozen=True):
    """How quiet the home was: what an operator looks at first."""

    last_activity_at: Time | None = None
    room: Annotated[Name | None, Meta(description="kind of room, never its name")] = None
    sensor: Annotated[Name | None, Meta(description="the sensor that saw it")] = None
    silence_s: Annotated[float | None, Meta(description="seconds since that activity")] = None
    covered_s: Annotated[
        float | None, Meta(description="seconds of the silence in which the home was seen")
    ] = None


class Explanation(Struct, frozen=True, kw_only=True):
    """Why there is an inactivity alert, in facts and in sentences made from them (R23)."""

    decided_by: Annotated[
        Name,
        Meta(
            description="network+kernel (AI and own habits), kernel (own habits), ceiling, "
            "unanswered (a question in the home), rule (absence or blindness)"
        ),
    ]
    usual_p50_s: Annotated[
        float | None, Meta(description="half of such silences end within so many seconds")
    ] = None
    usual_p95_s: Annotated[float | None, Meta(description="19 of 20 do")] = None
    usual_days: Annotated[
        Literal["weekday", "weekend"] | None, Meta(description="the days that this rests on")
    ] = None
    history_days: Annotated[Count, Meta(description="days of this home that are known")] = 0
    silent_sensors: Annotated[
        list[Name], Meta(description="proven alive at that moment, and they saw nobody")
    ] = []
    more_silent_sensors: Annotated[Count, Meta(description="of those, not named here")] = 0
    door_used_s: Annotated[
        float | None, Meta(description="seconds since the entrance was last used; null: not known")
    ] = None
    door_open: Annotated[
        bool | None, Meta(description="whether an entrance stands open; null: not known")
    ] = None
    began_at_door: Annotated[
        bool | None, Meta(description="the silence began at the entrance; null: not known")
    ] = None
    uncertain: Annotated[
        list[Name], Meta(description="what it is not sure of, for machines; the list may grow")
    ] = []
    text_ko: Explained = ""
    text_en: Explained = ""
