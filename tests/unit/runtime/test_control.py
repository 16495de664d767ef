"""The control socket: for the hub's own user, and never a way to stop the hub."""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.errors import JournalError
from gateway.runtime.asking import NAME, ControlError, ask
from gateway.runtime.control import Control


async def status(request: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"asked": request.get("word"), "much": "x" * 200_000}


async def broken(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise ZeroDivisionError


async def refused(_: Mapping[str, Any]) -> Mapping[str, Any]:
    raise JournalError("The disk is full: free some space.", reason="full")


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    (tmp_path / NAME).touch()  # what a killed run leaves behind
    control = Control(tmp_path, {"status": status, "broken": broken, "refused": refused})
    await control.open()
    yield tmp_path
    await control.close()
    assert not (tmp_path / NAME).exists()


async def asked(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    return await asyncio.to_thread(ask, folder, request)


async def test_it_answers_also_at_length(folder: Path) -> None:
    answer = await asked(folder, {"do": "status", "word": "how"})
    assert answer["ok"]
    assert answer["asked"] == "how"
    assert len(answer["much"]) == 200_000


async def test_only_its_own_user_may_ask(folder: Path) -> None:
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [b"\n", b"[]\n", b"{\n", b"\xff\xfe\n", b'{"do":"rm -rf"}\n', b'{"do":["a"]}\n', b"[" * 9999],
)
async def test_nonsense_gets_an_error_and_the_next_request_an_answer(
    folder: Path, line: bytes
) -> None:
    reader, writer = await asyncio.open_unix_connection(folder / NAME)
    writer.write(line if line.endswith(b"\n") else line + b"\n")
    said = await reader.readline()
    assert b'"ok":false' in said
    writer.close()
    assert (await asked(folder, {"do": "status"}))["ok"]


async def test_a_line_without_end_is_cut_off(folder: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(folder / NAME)
    writer.write(b"x" * 300_000)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    assert (await asked(folder, {"do": "status"}))["ok"]


async def test_a_request_that_fails_is_told_with_its_reason(folder: Path) -> None:
    assert (await asked(folder, {"do": "broken"}))["error"] == "ZeroDivisionError"
    assert (await asked(folder, {"do": "refused"}))["reason"] == "full"


def test_where_nobody_listens_the_reason_is_absent(tmp_path: Path) -> None:
    with pytest.raises(ControlError) as caught:
        ask(tmp_path, {"do": "status"})
    assert caught.value.reason == "absent"


async def test_a_hub_that_hangs_is_silent_and_not_absent(tmp_path: Path) -> None:
    async def hang(_: Mapping[str, Any]) -> Mapping[str, Any]:
        await asyncio.Event().wait()
        return {}

    control = Control(tmp_path, {"status": hang})
    await control.open()
    with pytest.raises(ControlError) as caught:
        await asyncio.to_thread(ask, tmp_path, {"do": "status"}, 0.1)
    assert caught.value.reason == "silent"
    await control.close()


async def test_a_folder_with_a_very_long_name_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    control = Control(folder, {"status": status})
    await control.open()
    assert (await asked(folder, {"do": "status"}))["ok"]
    await control.close()
