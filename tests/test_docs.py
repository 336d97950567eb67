"""The generated pages of the documentation say what the code says."""

from docs.generate import stale


def test_the_reference_is_up_to_date() -> None:
    assert stale() == [], "run python -m docs.generate"
