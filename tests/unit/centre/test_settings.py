"""A mistake in the centre's settings is one line with file, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.domain.errors import SettingsError
from provisioning.centre.settings import load, load_rules

GOOD = """
id = "main"
tenant = "testtown"
data = "data"
signing_key = "signing.key"
[broker]
host = "localhost"
ca = "ca.crt"
certificate = "centre.crt"
key = "centre.key"
[areas]
hub-7k2m9q = "중동"
[[channels]]
area = "중동"
command = ["/usr/local/bin/tell", "중동"]
[[channels]]
area = "*"
[channels.mail]
host = "mail.example.org"
sender = "centre@example.org"
to = ["office@example.org"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    for name in ("signing.key", "ca.crt", "centre.crt", "centre.key"):
        (tmp_path / name).touch()
    (tmp_path / "centre.toml").write_text(GOOD, "utf-8")
    return tmp_path / "centre.toml"


def test_paths_are_relative_to_the_file(path: Path) -> None:
    settings = load(path)
    assert settings.data == path.parent / "data"
    assert settings.broker.port == 8883
    assert settings.areas == {"hub-7k2m9q": "중동"}


def test_the_example_is_good(tmp_path: Path, root: Path) -> None:
    example = (root / "provisioning" / "centre" / "centre.example.toml").read_text("utf-8")
    (tmp_path / "centre").mkdir()
    for name in ("signing.key", "ca.crt", "centre.crt", "centre.key"):
        (tmp_path / "centre" / name).touch()
    (tmp_path / "centre.toml").write_text(example, "utf-8")
    assert [channel.area for channel in load(tmp_path / "centre.toml").channels] == ["중동", "*"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('id = "main"', 'id = "Main Centre"', "id:"),
        ('id = "main"', "", "id"),
        ("[areas]", "typo = 1\n[areas]", "typo"),
        ('host = "localhost"', "host = 5", "broker.host"),
        ('"ca.crt"', '"nowhere.crt"', "nowhere.crt is missing"),
        ('command = ["/usr/local/bin/tell", "중동"]', "", "command or mail"),
        ('command = ["/usr/local/bin/tell", "중동"]', "command = []", "empty"),
        ('area = "*"', 'area = "중동"', "twice"),
        ("[areas]", "[areas", "TOML"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(path: Path, old: str, new: str, named: str) -> None:
    path.write_text(GOOD.replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError) as caught:
        load(path)
    said = str(caught.value)
    assert str(path) in said
    assert named in said
    assert "\n" not in said


def test_a_script_that_closes_without_an_outcome_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "script.toml"
    script.write_text('[[rules]]\ndo = "close"\n', "utf-8")
    with pytest.raises(SettingsError, match="outcome"):
        load_rules(script)
    script.write_text('[[rules]]\ndo = "accept"\nafter = 0.5\n', "utf-8")
    assert [rule.after for rule in load_rules(script)] == [0.5]
