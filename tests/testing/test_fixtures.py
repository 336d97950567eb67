"""The fixtures, in the tests of somebody else: they are there when asked for, and only then."""

import subprocess
import sys
from pathlib import Path

from mapae.testing import BAD_TOKENS
from tests.journeys.processes import environment

TESTS = """
import pytest
from mapae import TokenRejected

def test_a_good_token(verifier, bearer):
    token = verifier.verify(bearer(subject="bob", scopes=["a"])["Authorization"].removeprefix("Bearer "))
    assert (token.subject, token.scopes, token.audience) == ("bob", {"a"}, ("https://mine.test",))

def test_bad_ones(verifier, bad_token):
    with pytest.raises(TokenRejected):
        verifier.verify(bad_token)

def test_over_a_socket(served_issuer):
    assert served_issuer.verifier().verify(served_issuer.token()).subject == "alice"
    assert served_issuer.requests
"""
CONFTEST = """
import pytest
pytest_plugins = ["mapae.testing.fixtures"]

@pytest.fixture(scope="session")
def audience():
    return "https://mine.test"
"""


def _pytest(folder: Path, conftest: str) -> str:
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_mine.py").write_text(TESTS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={folder}",
        str(folder),
    ]
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    ).stdout


def test_they_serve_whoever_asks_for_them(tmp_path: Path) -> None:
    assert f"{2 + len(BAD_TOKENS)} passed" in _pytest(tmp_path, CONFTEST)


def test_they_are_not_there_unasked(tmp_path: Path) -> None:
    assert "fixture 'verifier' not found" in _pytest(tmp_path, "")
