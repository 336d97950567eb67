"""Fixtures for pytest. They are there when asked for, in the conftest.py at the root of the tests:

pytest_plugins = ["mapae.testing.fixtures"]

def test_orders_need_a_token(api, bad_token): ...
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mapae.testing.bad_tokens import BAD_TOKENS
from mapae.testing.issuer import Issuer
from mapae.testing.serve import ServedIssuer, serve
from mapae.verifier import Verifier


@pytest.fixture(scope="session")
def audience() -> str:
    """The API under test; define a fixture of this name where it is another."""
    return "https://api.example.com"


@pytest.fixture(scope="session")
def issuer(audience: str) -> Issuer:
    """An issuer with a key of its own."""
    return Issuer(audience=audience)


@pytest.fixture
def verifier(issuer: Issuer) -> Verifier:
    """What the API under test is to be made with."""
    return issuer.verifier()


@pytest.fixture
def bearer(issuer: Issuer) -> Callable[..., dict[str, str]]:
    """The headers of a request with a token: `bearer(subject="alice", scopes=["orders:read"])`."""

    def headers(**options: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {issuer.token(**options)}"}

    return headers


@pytest.fixture(params=BAD_TOKENS)
def bad_token(request: pytest.FixtureRequest, issuer: Issuer) -> str:
    """A token that the API has to refuse. The test runs once for each kind of `BAD_TOKENS`."""
    return BAD_TOKENS[request.param](issuer)


@pytest.fixture
def served_issuer(audience: str) -> Iterator[ServedIssuer]:
    """An issuer on a port of this machine, whose keys have to be fetched."""
    with serve(audience=audience) as issuer:
        yield issuer
