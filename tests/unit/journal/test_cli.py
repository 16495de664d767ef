"""Test whether ``ansim journal`` tells what lies in the journal, beside a running writer."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.exits import Exit
from gateway.cli.main import call
from gateway.journal import AlertReceived
from tests.support.journals import NOON, alert, alerting, opened, summary, summing


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LANGUAGE", raising=False)
    with opened(tmp_path) as journal:
        journal.commit(decisions=[*alerting(alert("a"), alert("b")), *summing(summary())])
        journal.commit(decisions=alerting(alert("a", 2, open=False)))
        journal.commit(
            receipts=[AlertReceived(alert("a").id, v, NOON + 5, "c1") for v in (1, 2)],
            counters={"centre:c1": 7},
        )
        journal.quarantine("downlink", b"nonsense", "bad-format", NOON)
        journal.commit(counters={"x": 1})
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert call(["journal", *arguments, "--json"]) == Exit.OK
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_ls_lists_the_newest_versions_and_what_waits(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, "ls", "--all", "--data", str(folder))
    assert told["schema"] == "ansim.journal.ls.v1"
    assert [(a["alert_id"], a["version"], a["waits"]) for a in told["alerts"]] == [
        *sorted([(alert("a").id, 2, False), (alert("b").id, 1, True)])
    ]
    assert (told["waiting_alerts"], told["waiting_records"]) == (1, 1)
    assert [
        a["alert_id"] for a in said(capsys, "ls", "--waiting", "--data", str(folder))["alerts"]
    ] == [alert("b").id]
    assert call(["journal", "ls", "--data", str(folder)]) == Exit.OK
    out = capsys.readouterr().out
    assert alert("b").id in out
    assert "Waiting for the centre: 1 alerts, 1 records" in out


def test_show_tells_both_sides_receipts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "show", alert("a").id, "--data", str(folder))
    assert [v["version"] for v in told["versions"]] == [1, 2]
    first = told["versions"][0]
    assert (first["lane"], first["sequence"], first["place"]) == ("alert", 1, 1)
    assert (first["received_by"], first["answer"], first["receipt_place"]) == ("c1", 7, 4)
    assert call(["journal", "show", alert("a").id.lower(), "--data", str(folder)]) == Exit.OK
    assert "by c1, answer 7, entry 4" in capsys.readouterr().out
    assert call(["journal", "show", alert("a").id[:6], "--data", str(folder)]) == Exit.FAILED
    assert call(["journal", "show", "zzz", "--data", str(folder)]) == Exit.FAILED


def test_verify_says_whole_and_finds_one_altered_record(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = said(capsys, "verify", "--data", str(folder))
    assert told["whole"] is True
    head = told["head"]
    assert said(capsys, "verify", "--head", head, "--data", str(folder))["whole"] is True
    connection = sqlite3.connect(folder / "journal.db")
    connection.execute("UPDATE alert SET receiver = 'nobody' WHERE version = 2")
    connection.commit()
    connection.close()
    assert call(["journal", "verify", "--data", str(folder)]) == Exit.FAILED
    assert f"receipt of alert {alert('a').id}, version 2" in capsys.readouterr().out
    assert call(["journal", "verify", "--json", "--data", str(folder)]) == Exit.FAILED
    told = json.loads(capsys.readouterr().out)
    assert told["broken"]["kind"] == "receipt"
    assert call(["journal", "verify", "--head", "nonsense", "--data", str(folder)]) == Exit.USAGE


def test_quarantine_lists_entries_and_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "journal.db").write_bytes(b"\0" * 5000)
    opened(folder).close()
    told = said(capsys, "quarantine", "--data", str(folder))
    assert told["files"] == [{"name": "journal.db.damaged-1", "size": 5000}]
    with opened(folder) as journal:
        journal.quarantine("downlink", b"nonsense", "bad-format", NOON)
        journal.commit(counters={"x": 2})
        entries = said(capsys, "quarantine", "--data", str(folder))["entries"]
        assert [(e["place"], e["reason"], e["size"]) for e in entries] == [
            ("downlink", "bad-format", 8)
        ]
        assert call(["journal", "quarantine", "--data", str(folder)]) == Exit.OK
        out = capsys.readouterr().out
        assert "bad-format" in out
        assert "journal.db.damaged-1" in out


def test_it_reads_beside_a_running_writer_and_sees_what_is_committed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with opened(folder) as journal:
        journal.commit(decisions=alerting(alert("c")))
        told = said(capsys, "ls", "--all", "--data", str(folder))
        assert alert("c").id in {a["alert_id"] for a in told["alerts"]}
        assert said(capsys, "verify", "--data", str(folder))["entries"] == 6
        journal.commit(decisions=alerting(alert("d")))


def test_without_a_journal_or_with_a_damaged_one_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["journal", "ls", "--data", str(tmp_path)]) == Exit.JOURNAL
    assert "There is no journal" in capsys.readouterr().err
    (tmp_path / "journal.db").write_bytes(b"\xff" * 5000)
    assert call(["journal", "verify", "--data", str(tmp_path)]) == Exit.JOURNAL
    assert "damaged" in capsys.readouterr().err


def test_korean(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    assert call(["journal", "verify", "--data", str(folder)]) == Exit.OK
    assert "온전합니다" in capsys.readouterr().out
