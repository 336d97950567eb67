"""The published OpenAPI document: it is one, it names what is there, and what is there does as it says."""

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, meta
from starlette.routing import Route

from mapae.server.adapters.metrics import Metrics
from mapae.server.app import opened, routes
from mapae.server.domain.problems import ProblemCode
from mapae.server.http.openapi import document
from mapae.server.http.pages.rendering import Pages
from mapae.server.settings import load_settings
from tests.server.http.clients import Asking, add_clients
from tests.server.http.conftest import ENVIRON, ISSUER, bearer, serving

DOCUMENT = document(ISSUER)
#: Pages: nothing but a person comes here.
FOR_PEOPLE = ("/login", "/consent")


def schema_of(path: str, method: str, status: int, media_type: str = "application/json") -> dict[str, Any]:
    """The schema of an answer, on its own."""
    answer = DOCUMENT["paths"][path][method]["responses"][str(status)]
    return {**answer["content"][media_type]["schema"], "components": DOCUMENT["components"]}


async def test_it_names_every_endpoint_for_machines_and_no_other(sqlite_url: str) -> None:
    settings = load_settings(ENVIRON | {"MAPAE_DATABASE_URL": sqlite_url})
    async with opened(settings) as house:
        served = {
            (route.path, method.lower())
            for route in routes(settings, house, Metrics(), Pages(settings.issuer))
            if isinstance(route, Route) and route.path not in FOR_PEOPLE
            for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
        }
    named = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert named == served


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        meta.validate(schema)
    names = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if "$ref" in value else set()
            return own.union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list | tuple) else set()

    assert references(DOCUMENT) <= names


async def test_it_is_served_to_everyone(sqlite_url: str) -> None:
    async with serving(sqlite_url) as server:
        answer = await server.http.get("/openapi.json")
        assert (answer.status_code, answer.json()) == (200, DOCUMENT)
        assert answer.headers["access-control-allow-origin"] == "*"
        again = await server.http.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


async def test_what_is_answered_has_the_form_that_is_described(sqlite_url: str) -> None:
    async with serving(sqlite_url) as server:
        await add_clients(server)
        web = Asking(server, "web")
        tokens = await web.tokens()
        token = tokens["access_token"]
        login = (await server.login()).json()
        http = server.http
        for path, method, answer in (
            ("/oauth/token", "post", await web.token("client_credentials")),
            ("/oauth/token", "post", await web.refresh(tokens["refresh_token"])),
            ("/oauth/token", "post", await web.refresh("mpr_nothing")),
            ("/oauth/introspect", "post", await web.post("/oauth/introspect", token=token)),
            ("/oauth/introspect", "post", await http.post("/oauth/introspect", data={"token": token})),
            ("/oauth/userinfo", "get", await http.get("/oauth/userinfo", headers=bearer(token))),
            (
                "/auth/sessions",
                "get",
                await http.get("/auth/sessions", headers=bearer(login["access_token"])),
            ),
            ("/auth/me", "get", await http.get("/auth/me", headers=bearer(token))),
            ("/auth/login", "post", await server.login()),
            ("/auth/login", "post", await server.login(password="wrong")),
            ("/auth/sessions", "get", await http.get("/auth/sessions", headers=bearer(token))),
            ("/health/ready", "get", await http.get("/health/ready")),
            ("/.well-known/jwks.json", "get", await http.get("/.well-known/jwks.json")),
        ):
            media_type = answer.headers["content-type"]
            schema = schema_of(path, method, answer.status_code, media_type)
            Draft202012Validator(schema).validate(answer.json())


def test_a_document_that_would_lie_is_noticed() -> None:
    schema = schema_of("/auth/login", "post", 401, "application/problem+json")
    assert not Draft202012Validator(schema).is_valid({"code": "something else"})
    assert ProblemCode.FIRST_PARTY_ONLY.value in str(schema)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_operation_says_what_it_is_for(path: str) -> None:
    for operation in DOCUMENT["paths"][path].values():
        assert operation["summary"].endswith(".")
        assert operation["responses"]
