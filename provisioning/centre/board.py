"""The live board in a terminal: homes, who is watched, open alerts, the oldest heartbeat.

It only reads the store, and writes what the operator says through ``answering``. Where there is no
terminal the caller prints plain lines instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.domain.alert import Outcome
from gateway.languages import mark, translator
from provisioning.centre import answering, reading, words
from provisioning.centre.store import Store

LEAST_ROWS = 4
FRAME = 9
"""Lines of the screen that are not rows of a table."""
EXPLAINED_MOST = 4
"""Lines that the explanation of the chosen alert may take."""


def ago(seconds: float) -> str:
    """A duration in at most four characters: 45s, 12m, 3h, 9d."""
    for limit, unit, size in ((120, "s", 1), (7200, "m", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{max(0, int(seconds // size))}{unit}"
    return f"{int(seconds // 86400)}d"


class Board:
    """What is shown, and what keys do. ``key`` returns False when the operator leaves."""

    def __init__(
        self,
        store: Store,
        *,
        language: str,
        by: str,
        trouble: Callable[[], str] = lambda: "",
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._ = translator(language)
        self._korean = language == "ko"
        self._by = by
        self._trouble = trouble
        self._on_answer = on_answer
        self._chosen: str | None = None
        self._closing: str | None = None
        self._outcome: Outcome | None = None
        self._said = ""

    # -- keys --------------------------------------------------------------------------------

    def key(self, key: str) -> bool:
        """Work off one key."""
        self._said = ""
        if self._closing is not None:
            self._close_step(key)
        elif key in ("q", "\x03", "\x04"):
            return False
        elif key in ("j", "\x1b[B"):
            self._move(1)
        elif key in ("k", "\x1b[A"):
            self._move(-1)
        elif key == "a":
            self._answer("accepted")
        elif key == "t":
            self._answer("acting")
        elif key == "c" and self._selected() is not None:
            self._closing = self._selected()
            self._outcome = None
        return True

    def _close_step(self, key: str) -> None:
        choices = len(words.OUTCOMES if self._outcome is None else words.SERVICES)
        if not key.isdigit() or not 1 <= int(key) <= choices:
            self._closing = None
            self._said = self._("Not closed.")
        elif self._outcome is None:
            self._outcome = list(words.OUTCOMES)[int(key) - 1]
        else:
            self._answer("closed", self._outcome, list(words.SERVICES)[int(key) - 1])
            self._closing = None

    def _answer(
        self, state: str, outcome: Outcome | None = None, service: str | None = None
    ) -> None:
        chosen = self._closing or self._selected()
        if chosen is None:
            return
        hub, _, alert_id = chosen.partition(" ")
        try:
            answering.give(
                self._store,
                alert_id,
                state,
                by=self._by,
                now=time.time(),
                outcome=outcome,
                service=service,
                hub=hub,
            )
        except answering.AnswerError as error:
            self._said = str(error)
            return
        self._said = self._("{state}: on its way to the home.").format(
            state=self._(words.STATES[state])
        )
        self._on_answer()

    def _rows(self) -> list[str]:
        return [f"{line.hub} {line.alert_id}" for line in reading.alerts(self._store)]

    def _selected(self) -> str | None:
        rows = self._rows()
        if self._chosen not in rows:
            self._chosen = rows[0] if rows else None
        return self._chosen

    def _move(self, by: int) -> None:
        rows, selected = self._rows(), self._selected()
        if selected is not None:
            self._chosen = rows[max(0, min(len(rows) - 1, rows.index(selected) + by))]

    # -- drawing -----------------------------------------------------------------------------

    def draw(self, console: Console) -> RenderableType:
        """The whole board for the console's size."""
        why = self._explained(console)
        room = max(2 * LEAST_ROWS, console.height - FRAME - len(why))
        alerts = reading.alerts(self._store, limit=room)
        homes = reading.homes(self._store)
        for_alerts = min(len(alerts), max(LEAST_ROWS, room - len(homes)))
        return Group(
            self._head(reading.overview(self._store), time.time()),
            self._alerts(alerts[:for_alerts], time.time()),
            *why,
            self._homes(homes[: max(LEAST_ROWS, room - for_alerts)], len(homes), time.time()),
            self._foot(),
        )

    def _explained(self, console: Console) -> list[Text]:
        """Why there is the chosen alert, as far as it says so, in lines of the screen."""
        selected = self._selected()
        for line in reading.alerts(self._store):
            if f"{line.hub} {line.alert_id}" == selected:
                said = line.explained_ko if self._korean else line.explained_en
                if said:
                    return list(Text(said, style="dim").wrap(console, console.width))[
                        :EXPLAINED_MOST
                    ]
        return []

    def _head(self, figures: reading.Overview, now: float) -> Text:
        _ = self._
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(
            _("Homes {homes}, watching {watching}").format(
                homes=figures.homes, watching=figures.watching
            ),
            style="bold green" if figures.homes == figures.watching else "bold yellow",
        )
        for level in (4, 3, 2, 1):
            count = figures.open_by_level.get(level, 0)
            text.append("  ")
            text.append(
                f"{_(words.LEVELS[level][0])}({level}) {count}",
                style=words.LEVELS[level][1] if count else "dim",
            )
        text.append("\n")
        if figures.oldest is not None:
            text.append(
                _("Oldest heartbeat {ago} ({hub})").format(
                    ago=ago(now - figures.oldest), hub=figures.oldest_hub
                )
            )
        for count, sentence in (
            (figures.gaps, mark("gaps {count}")),
            (figures.refused, mark("refused {count}")),
            (figures.remade, mark("remade alerts {count}")),
            (figures.notices_waiting, mark("notices waiting {count}")),
        ):
            if count:
                text.append("  " + _(sentence).format(count=count), style="yellow")
        if self._trouble():
            text.append("\n" + self._trouble(), style="bold red")
        return text

    def _alerts(self, lines: list[reading.AlertLine], now: float) -> Table:
        _ = self._
        table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
        for title, options in (
            ("", {"width": 1}),
            (_("Level"), {"width": 12}),
            (_("Home"), {"max_width": 16}),
            (_("What"), {"ratio": 1, "overflow": "ellipsis"}),
            (_("State"), {"width": 10}),
            (_("Since"), {"width": 5, "justify": "right"}),
        ):
            table.add_column(title, no_wrap=True, **options)
        selected = self._selected()
        for line in lines:
            name, style = words.LEVELS.get(line.level, words.LEVELS[2])
            late = line.accepted is None and now - line.first_received > reading.DUE_ACCEPT.get(
                line.level, 1e12
            )
            state = _(words.STATES.get(line.state, line.state))
            table.add_row(
                "▶" if f"{line.hub} {line.alert_id}" == selected else "",
                Text(f"{line.level} {_(name)}", style=style),
                line.hub,
                line.sentence_ko if self._korean else line.sentence_en,
                Text(state + ("…" if line.pending else ""), style="bold" if late else ""),
                Text(ago(now - line.first_received), style="bold red" if late else ""),
            )
        if not lines:
            table.add_row("", "", "", Text(_("No open alert."), style="dim"), "", "")
        return table

    def _homes(self, homes: list[reading.Home], total: int, now: float) -> Table:
        _ = self._
        table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
        for title, options in (
            (_("Home"), {"max_width": 16}),
            (_("Watching"), {"ratio": 1, "overflow": "ellipsis"}),
            (_("Heartbeat"), {"width": 9, "justify": "right"}),
            (_("Quiet"), {"width": 6, "justify": "right"}),
            (_("Sensors"), {"ratio": 1, "overflow": "ellipsis"}),
            (_("Open"), {"width": 6, "justify": "right"}),
        ):
            table.add_column(title, no_wrap=True, **options)
        for home in homes:
            bad = ", ".join([*home.lost, *(f"{sensor}?" for sensor in home.stale)])
            table.add_row(
                home.hub,
                Text(_("yes"), style="green")
                if home.watching
                else Text(_("NO: {why}").format(why=words.why(_, home.why)), style="bold yellow"),
                "-" if home.heartbeat_at is None else ago(now - home.heartbeat_at),
                "-" if home.inactive_s is None else ago(home.inactive_s),
                Text(bad or "ok", style="yellow" if bad else "dim"),
                str(home.open_alerts or ""),
            )
        if total > len(homes):
            more = _("and {count} more homes").format(count=total - len(homes))
            table.add_row(Text("…", style="dim"), Text(more, style="dim"), "", "", "", "")
        return table

    def _foot(self) -> Text:
        _ = self._
        if self._closing is not None:
            first = self._outcome is None
            title = _("Outcome:") if first else _("Done:")
            choices = list((words.OUTCOMES if first else words.SERVICES).values())
            options = "  ".join(f"{n} {_(choice)}" for n, choice in enumerate(choices, 1))
            return Text(f"{title} {options}", style="bold")
        keys = _("a accept  t acting  c close  j/k choose  q leave")
        return Text(f"{keys}   {self._said}", style="dim" if not self._said else "")
