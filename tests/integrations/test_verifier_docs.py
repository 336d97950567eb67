"""The programs of the pages about needs and about migrating run, and answer as the pages say."""

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from starlette.testclient import TestClient

from mapae import TokenRejected
from mapae.testing import ServedIssuer, serve
from tests.journeys.processes import ROOT

HOW_TO = ROOT / "docs" / "how-to"


@pytest.fixture
def issuer() -> Iterator[ServedIssuer]:
    """Whom the programs believe."""
    with serve(audience="https://api.example.com") as issuer:
        yield issuer


@pytest.fixture
def program(
    issuer: ServedIssuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], Any]]:
    """Imports a program of a page, which may import the others."""
    names: list[str] = []

    def imported(page: str, name: str) -> Any:
        text = (HOW_TO / page).read_text("utf-8").replace("https://auth.example.com", issuer.issuer)
        for found, source in re.findall(
            r"^```python\n# (\w+)\.py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
        ):
            (tmp_path / f"{found}.py").write_text(source)
            names.append(found)
        return import_module(name)

    monkeypatch.syspath_prepend(tmp_path)
    yield imported
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture
def bearer(issuer: ServedIssuer) -> Callable[..., dict[str, str]]:
    """The headers of a request with a token that is good for all that the pages ask."""

    def headers(**options: Any) -> dict[str, str]:
        enough = {"scopes": ["orders:write"], "roles": ["admin"], "claims": {"acr": "mfa"}}
        return {"Authorization": f"Bearer {issuer.token(**{**enough, **options})}"}

    return headers


def test_a_call_needs_the_same_in_every_framework(
    program: Callable[[str, str], Any], bearer: Callable[..., dict[str, str]]
) -> None:
    page = "ask-more-of-a-token.md"
    views = program(page, "views")
    program(page, "live")
    stale = {"claims": {"acr": "mfa", "auth_time": 1}}

    fastapi, flask = TestClient(views.app), FlaskClient(views.site)
    asgi = TestClient(views.everything)
    for client in (fastapi, flask, asgi):
        answers: list[Any] = [
            client.delete("/orders", headers=headers)
            for headers in (bearer(), bearer(roles=[]), bearer(scopes=[]), bearer(**stale), {})
        ]
        assert [answer.status_code for answer in answers] == [200, 403, 403, 401, 401]
        challenge = answers[3].headers["WWW-Authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert challenge.endswith('max_age="300", acr_values="mfa pwd"')


def test_instead_of_pyjwt(program: Callable[[str, str], Any], issuer: ServedIssuer) -> None:
    user_of = program("migrate-from-another-library.md", "instead_of_pyjwt").user_of

    assert user_of(issuer.token(subject="bob")) == "bob"
    with pytest.raises(TokenRejected, match="wrong_type"):
        user_of(issuer.token(typ="JWT"))


def test_instead_of_flask_jwt_extended(
    program: Callable[[str, str], Any], bearer: Callable[..., dict[str, str]]
) -> None:
    module = program("migrate-from-another-library.md", "instead_of_flask_jwt_extended")
    client = FlaskClient(module.app)

    assert client.get("/orders", headers=bearer(subject="bob")).text == "bob"
    assert client.get("/orders").status_code == 401
    assert (client.get("/").text, client.get("/", headers=bearer(subject="bob")).text) == ("stranger", "bob")
    assert client.delete("/orders", headers=bearer()).text.startswith("test-")
    assert client.delete("/orders", headers=bearer(claims={"auth_time": 1})).status_code == 401
    module.ended.add("test-session")
    assert client.get("/orders", headers=bearer()).status_code == 401
