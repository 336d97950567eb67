"""Contrast of the colours of the pages, computed from the style sheet (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from importlib.resources import files

import pytest

STYLE = (files("mapae.server.http.pages") / "static" / "mapae.css").read_text("utf-8")
THEMES = {
    theme: dict(re.findall(r"--([\w-]+): #([0-9a-f]{6});", block))
    for theme, block in zip(("light", "dark"), re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL), strict=True)
}
TEXT = [
    ("ink", "card"),
    ("ink", "notice-ground"),
    ("ink-soft", "card"),
    ("ink-soft", "ground"),
    ("accent", "card"),
    ("accent", "ground"),
    ("accent-strong", "card"),
    ("accent-strong", "ground"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("problem", "problem-ground"),
]
#: Borders of fields and buttons, and the ring of what has the focus.
SHAPES = [("edge", "card"), ("problem", "card"), ("accent", "card"), ("accent", "ground")]


def luminance(colour: str) -> float:
    """Relative luminance of rrggbb."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("front", "back", "least"), [(*pair, 4.5) for pair in TEXT] + [(*pair, 3.0) for pair in SHAPES]
)
def test_colours_can_be_told_apart(theme: str, front: str, back: str, least: float) -> None:
    colours = THEMES[theme]
    assert contrast(colours[front], colours[back]) >= least


def test_there_are_no_colours_but_those_of_the_themes() -> None:
    assert len(re.findall(r"#[0-9a-f]{3,8}\b", STYLE)) == sum(map(len, THEMES.values()))
    assert THEMES["light"].keys() == THEMES["dark"].keys()
