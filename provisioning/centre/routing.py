"""Tells the eup, myeon or dong of a home: by a program of the town, or by e-mail.

A notice is stored in the commit that stores what it tells, and stays until its channel took it.
Nothing here can hold up receiving: each attempt has its own process or thread and its own time-out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import smtplib
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any

import msgspec

from gateway.languages import translator
from provisioning.centre import words
from provisioning.centre.intake import Fresh
from provisioning.centre.settings import Channel, Mail
from provisioning.centre.silence import Notice
from provisioning.centre.store import Store

RETRY_FIRST = 5.0
RETRY_LONGEST = 300.0
"""Seconds between attempts: doubling, at most five minutes, because a person waits at its end."""

GIVEN_UP_AFTER = 86400.0
"""Seconds after which a notice is no longer tried: whoever needed it has seen the board or the
digest, and a dead channel must not collect tries for ever. It stays in the store as failed."""

NEVER = 1e12
"""A ``next_try`` that does not come."""

AT_ONCE = 8
"""Attempts under way at a time; a storm of notices must not start hundreds of programs."""

SAID_MOST = 300
"""Characters of a channel's error that are kept."""

TOLD_STATES = frozenset({"raised", "escalated"})
"""Versions that are news to a town; what people or the hub did about them is on the board."""

SILENCE_LEVEL = 2
"""Level of a centre's own notice: a home that nobody watches wants a person (R14)."""


class Router:
    """Puts notices into the store, and brings them to the channels."""

    def __init__(
        self,
        store: Store,
        areas: dict[str, str],
        channels: Sequence[Channel],
        *,
        wall: Callable[[], float],
        language: str,
    ) -> None:
        self._store = store
        self._areas = areas
        self._channels = {channel.area: channel for channel in channels}
        self._wall = wall
        self._language = language
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def channel(self, hub: str) -> tuple[str | None, Channel | None]:
        """(area, channel) of a hub; the channel ``*`` serves areas without their own."""
        area = self._areas.get(hub)
        own = None if area is None else self._channels.get(area)
        return area, own or self._channels.get("*")

    def alerts(self, fresh: Sequence[Fresh]) -> None:
        """Put notices of new alert versions into the store. Call it inside the commit."""
        for one in fresh:
            data = one.data
            if data.state not in TOLD_STATES or not data.open:
                continue
            area, channel = self.channel(one.hub)
            if data.level < (2 if channel is None else channel.level):
                continue
            body = {
                "kind": "alert",
                "hub": one.hub,
                "area": area,
                "sentence": data.sentence_ko if self._language == "ko" else data.sentence_en,
                "alert": msgspec.to_builtins(data),
            }
            self._put(one.hub, "alert", area, channel, body, data.level, one)

    def silences(self, notices: Sequence[Notice]) -> None:
        """Put the centre's own notices into the store: one for each area that is touched."""
        _ = translator(self._language)
        with self._store.transaction():
            for notice in notices:
                by_area: dict[str | None, list[str]] = {}
                for hub in notice.hubs:
                    by_area.setdefault(self.channel(hub)[0], []).append(hub)
                for area, hubs in by_area.items():
                    sentence = _("{count} homes are not watched: {why}.").format(
                        count=len(hubs), why=words.why(_, notice.why)
                    )
                    body = {
                        "kind": notice.kind,
                        "hubs": hubs,
                        "area": area,
                        "why": notice.why,
                        "sentence": sentence,
                    }
                    channel = self.channel(hubs[0])[1]
                    self._put(hubs[0], notice.kind, area, channel, body, SILENCE_LEVEL, None)
                self._store.count(f"notices: {notice.kind}")
        self._wake.set()

    def wake(self) -> None:
        """There are new notices."""
        self._wake.set()

    def _put(
        self,
        hub: str,
        kind: str,
        area: str | None,
        channel: Channel | None,
        body: dict[str, Any],
        level: int,
        fresh: Fresh | None,
    ) -> None:
        now = self._wall()
        if channel is None:
            self._store.count("notices without a channel")
        self._store.db.execute(
            "INSERT INTO notices (made, hub, kind, alert_id, version, level, area, body, next_try) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            (
                now,
                hub,
                kind,
                None if fresh is None else fresh.data.alert_id,
                None if fresh is None else fresh.data.version,
                level,
                area,
                msgspec.json.encode(body).decode(),
                now if channel is not None else NEVER,
            ),
        )

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        while True:
            self._wake.clear()
            wait = self._start_due()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def stop(self) -> None:
        """End attempts that are under way; they will be tried again."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start_due(self) -> float | None:
        now = self._wall()
        rows = self._store.db.execute(
            "SELECT id, hub, body, next_try FROM notices WHERE delivered IS NULL "
            "AND next_try < ? ORDER BY level DESC, next_try LIMIT 100",
            (NEVER,),
        ).fetchall()
        later: list[float] = []
        for number, hub, body, next_try in rows:
            if number in self._under_way:
                continue
            if next_try > now:
                later.append(next_try - now)
            elif len(self._under_way) < AT_ONCE:
                task = asyncio.create_task(self._attempt(number, hub, body))
                self._under_way[number] = task
        return min(later, default=None)

    async def _attempt(self, number: int, hub: str, body: str) -> None:
        error: str | None = None
        try:
            channel = self.channel(hub)[1]
            if channel is None:
                error = "no channel"
            elif channel.mail is not None:
                error = await _mail(channel.mail, body, channel.timeout)
            else:
                error = await _command(channel.command or [], body, channel.timeout)
            self._note(number, error)
        finally:
            self._under_way.pop(number, None)
            self._wake.set()

    def _note(self, number: int, error: str | None) -> None:
        now = self._wall()
        store = self._store
        with store.transaction():
            if error is None:
                store.count("notices delivered")
                store.db.execute(
                    "UPDATE notices SET delivered=?, attempts=attempts+1, error=NULL WHERE id=?",
                    (now, number),
                )
                return
            store.count("notices failed")
            attempts, made = store.db.execute(
                "SELECT attempts, made FROM notices WHERE id=?", (number,)
            ).fetchone()
            wait = min(RETRY_LONGEST, RETRY_FIRST * 2.0 ** min(attempts, 10))
            again = now + wait if now - made < GIVEN_UP_AFTER else NEVER
            store.db.execute(
                "UPDATE notices SET attempts=attempts+1, next_try=?, error=? WHERE id=?",
                (again, error[:SAID_MOST], number),
            )


async def _command(argv: Sequence[str], body: str, timeout: float) -> str | None:
    """Run a channel's program, without a shell, in its own process group. None if it took it."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot start: {error.strerror}"
    try:
        async with asyncio.timeout(timeout):
            _, said = await process.communicate(body.encode())
    except TimeoutError:
        return f"no end after {timeout:g} s"
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode == 0:
        return None
    return f"exit code {process.returncode}: {said.decode(errors='replace').strip()}"


async def _mail(mail: Mail, body: str, timeout: float) -> str | None:
    try:
        await asyncio.to_thread(_send, mail, body, timeout)
    except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _send(mail: Mail, body: str, timeout: float) -> None:
    message = EmailMessage()
    notice = msgspec.json.decode(body, type=dict[str, Any])
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Subject"] = str(notice["sentence"]).replace("\n", " ").replace("\r", " ")
    message.set_content(msgspec.json.format(body, indent=2))
    context = ssl.create_default_context()
    with smtplib.SMTP_SSL(mail.host, mail.port, timeout=timeout, context=context) as server:
        if mail.user is not None and mail.password_file is not None:
            server.login(mail.user, mail.password_file.read_text("utf-8").strip())
        server.send_message(message)
