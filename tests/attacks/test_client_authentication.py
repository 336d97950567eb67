"""The attacker poses as a client (RFC 6749 section 10.1, RFC 7523 section 3, OWASP WSTG-IDNT-04)."""

import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapae.jose import base64url, strict_json
from mapae.jose.algorithms import ALGORITHMS
from mapae.jose.jwk import Jwk
from mapae.oauth.client_credentials import JWT_BEARER
from mapae.oauth.errors import ErrorCode, OAuthError
from mapae.server.domain.problems import Problem
from tests.server.actions.test_authenticate_client import CALLER, KEY, SECRET, World, client, world

__all__ = ["world"]


async def told(attempt: Any) -> tuple[ErrorCode, str]:
    """All that the attacker is told."""
    with pytest.raises(OAuthError) as refused:
        await attempt
    return refused.value.code, refused.value.description


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("basic", "not the secret"),
        ("unknown", "not the secret"),
        ("unknown", SECRET),
        ("post", SECRET),
        ("spa", SECRET),
        ("payroll", SECRET),
        ("mapae", SECRET),
        ("basic", ""),
        ("basic", "x" * 100_000),
        ("' OR 1=1--", SECRET),
        ("basic\x00", SECRET),
    ],
)
async def test_what_is_wrong_shows_neither_in_the_answer_nor_in_what_it_costs(
    world: World, client_id: str, secret: str
) -> None:
    hashes = world.hasher.hashes
    assert await told(world.basic(client_id, secret)) == (
        ErrorCode.INVALID_CLIENT,
        ErrorCode.INVALID_CLIENT.description,
    )
    assert world.hasher.hashes == hashes + 1


async def test_naming_a_client_is_not_being_it(world: World) -> None:
    answers = {await told(world.form(client_id=name)) for name in ("basic", "post", "payroll", "unknown")}
    assert len(answers) == 1
    assert world.hasher.hashes == 0


async def test_a_key_of_the_attackers_own_is_not_followed(world: World) -> None:
    """`jwk`, `jku` and `x5u` in the header bring or name a key; the client's registered ones are what counts."""
    mine = Jwk.generate("ES256", kid="mine")
    now = int(world.clock())
    claims = {"iss": "payroll", "sub": "payroll", "aud": "https://auth.example.com", "exp": now + 60}
    for extra in ({"jwk": mine.public().to_dict()}, {"jku": "https://evil.example/jwks"}, {}):
        header = {"alg": "ES256", "kid": "one", **extra}
        signing_input = (
            f"{base64url.encode(strict_json.dump(header))}."
            f"{base64url.encode(strict_json.dump({**claims, 'jti': 'mine'}))}"
        )
        signature = ALGORITHMS["ES256"].sign(mine.private_key, signing_input.encode())
        text = f"{signing_input}.{base64url.encode(signature)}"
        answer = await told(world.form(client_assertion=text, client_assertion_type=JWT_BEARER))
        assert answer[0] is ErrorCode.INVALID_CLIENT
    assert (await world.signed()).client_id == "payroll"


async def test_keys_are_not_fetched_from_inside(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.setblocking(False)
        published = client(
            "inside",
            token_endpoint_auth_method="private_key_jwt",
            jwks_uri=f"https://localhost:{inside.getsockname()[1]}/jwks.json",
        )
        async with world.database.unit() as unit:
            await unit.clients.add(published)
            await unit.commit()
        answer = await told(world.signed(KEY, iss="inside", sub="inside"))
        assert answer == (ErrorCode.INVALID_CLIENT, ErrorCode.INVALID_CLIENT.description)
        with pytest.raises(BlockingIOError):
            inside.accept()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    authorization=st.lists(st.text(max_size=40) | st.text(max_size=40).map("Basic {}".format), max_size=2),
    form=st.dictionaries(
        st.sampled_from(["client_id", "client_secret", "client_assertion", "client_assertion_type"]),
        st.sampled_from(["basic", "payroll", "spa", JWT_BEARER, "a.b.c", "e30.e30.e30"])
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    ),
)
async def test_nothing_that_is_sent_is_an_error_of_ours(
    world: World, authorization: list[str], form: dict[str, str]
) -> None:
    try:
        found = await world.authenticate(authorization, form, CALLER)
    except (OAuthError, Problem):
        return
    assert found.client_id == "spa", "the only one who need not prove anything"
