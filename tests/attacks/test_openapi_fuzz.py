"""The endpoints under schemathesis, with the published OpenAPI document: what is described is all that is answered."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi import checks

from mapae.server.http.openapi import document
from tests.attacks.victim import CLIENT_SECRET, Victim, victim_process

SCHEMA = schemathesis.openapi.from_dict(document("http://127.0.0.1"))
OF_CLIENTS = ("/oauth/token", "/oauth/introspect", "/oauth/revoke")
#: Not that every text is taken: what a parameter says may be refused.
CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim_process(tmp_path_factory.mktemp("victim")) as made:
        yield made
        assert made.is_well()


@SCHEMA.parametrize()
@settings(
    max_examples=8,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_endpoint_answers_as_it_is_described(case: schemathesis.Case[Any], victim: Victim) -> None:
    proof: dict[str, Any] = (
        {"auth": ("service", quote_plus(CLIENT_SECRET))} if case.path in OF_CLIENTS else {}
    )
    case.call_and_validate(base_url=victim.issuer, checks=CHECKS, allow_redirects=False, **proof)
