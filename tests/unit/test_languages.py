"""Every sentence for people is there in Korean, and the compiled catalogue is the written one."""

from __future__ import annotations

import pytest

from gateway.languages import LANGUAGES, translator
from gateway.languages import catalogue as book


def test_every_sentence_in_the_code_has_korean_with_the_same_fields() -> None:
    assert book.untranslated(book.updated()) == [], "run: make messages"


def test_the_catalogue_holds_the_sentences_of_the_code_and_no_others() -> None:
    assert book.po_bytes(book.updated()) == book.PO.read_bytes(), "run: make messages"


def test_the_compiled_catalogue_is_the_written_one() -> None:
    assert book.mo_bytes(book.read()) == book.MO.read_bytes(), "run: make messages"


def test_korean_is_korean() -> None:
    _ = translator("ko")
    latin = [s for s in book.sentences() if not any("가" <= c <= "힣" for c in _(s))]
    assert latin == []


@pytest.mark.parametrize("language", [*LANGUAGES, "fr", ""])
def test_a_sentence_without_translation_stays_english(language: str) -> None:
    assert translator(language)("No such sentence.") == "No such sentence."


def test_english_is_the_sentence_itself() -> None:
    sentence = "The help button was pressed."
    assert translator("en")(sentence) == sentence
    assert translator("ko")(sentence) != sentence
