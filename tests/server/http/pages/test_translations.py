"""Translations: nothing is missing, nothing is left over, and values and elements are where they belong."""

import re
from importlib.resources import files
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po

FOLDER = files("mapae.server.http.pages")
FILES = sorted(file.name for file in (FOLDER / "translations").iterdir())
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}


def written() -> set[str]:
    """Every message of the templates and of the code."""
    keywords = {**DEFAULT_KEYWORDS, "translatable": None}
    return {
        str(message)
        for _, _, message, _, _ in extract_from_dir(
            str(FOLDER), method_map=METHODS, options_map=OPTIONS, keywords=keywords
        )
    }


def translated(name: str) -> Catalog:
    """A file of translations."""
    return read_po(BytesIO((FOLDER / "translations" / name).read_bytes()), abort_invalid=True)


def test_there_is_korean() -> None:
    assert FILES == ["ko.po"]


@pytest.mark.parametrize("name", FILES)
def test_every_message_is_translated_and_no_other(name: str) -> None:
    catalog = translated(name)
    messages = {str(message.id): message for message in catalog if message.id}
    assert set(messages) == written()
    assert [message.id for message in messages.values() if not message.string or message.fuzzy] == []
    assert list(catalog.obsolete) == []


@pytest.mark.parametrize("name", FILES)
def test_a_translation_has_the_values_and_the_elements_of_the_original(name: str) -> None:
    for message in filter(lambda each: each.id, translated(name)):
        original, translation = (
            sorted(re.findall(r"%\(\w+\)s|%|<[^>]*>", str(text))) for text in (message.id, message.string)
        )
        assert original == translation, message.id
