"""Authorization code flows of browsers that are signed in: 32 at once, each from the request to the tokens."""

import asyncio
import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

from bench.figures import Figure, at_least
from bench.load import drive, form
from bench.server import CLIENT_SECRET, USERS, WEB_CALLBACK, WEB_CLIENT_ID, Databases, Server, serving
from mapae.entropy import system_entropy
from mapae.jose import base64url
from mapae.secret import Secret
from mapae.server.domain.ids import new_id
from mapae.server.domain.sessions import Session
from mapae.server.store.engine import open_database

CONNECTIONS = 32
FOR_S = 8
VERIFIER = "a-verifier-of-the-load-0123456789-0123456789"
BASIC = f"Authorization: Basic {b64encode(f'{WEB_CLIENT_ID}:{quote_plus(CLIENT_SECRET)}'.encode()).decode()}"


def measure(databases: Databases) -> Sequence[Figure]:
    """Flows per second with PostgreSQL on one worker; no password is asked for, and nobody has to agree."""
    with serving(databases.postgresql()) as server:
        firsts = [_authorization(cookie) for cookie in asyncio.run(_signed_in(server))]
        before_s = server.cpu_s()
        load = drive(server.port, firsts, _Flows(firsts), for_s=FOR_S)
        flows = len(load.latencies_s) / 2
        cpu_us = (server.cpu_s() - before_s) / flows * 1e6
    return [
        at_least("whole flows", flows / load.took_s, 250, "/s"),
        Figure(
            "  p50 and p99 of each of its two requests",
            f"{load.percentile_ms(0.5):.1f} and {load.percentile_ms(0.99):.1f} ms",
        ),
        Figure("  processor time of the server for each flow", f"{cpu_us:.0f} µs"),
    ]


async def _signed_in(server: Server) -> Sequence[str]:
    """Cookies of as many browsers."""
    cookies = [base64url.encode(system_entropy(32)) for _ in range(CONNECTIONS)]
    database = open_database(server.environ["MAPAE_DATABASE_URL"])
    async with database.unit() as unit:
        now, users = await unit.now(), await unit.users.all()
        for number, cookie in enumerate(cookies):
            user = users[number % USERS]
            await unit.sessions.add(
                Session(
                    new_id(system_entropy), user.id, "mapae", now, now + 3600, now, None, None, None,
                    cookie_digest=Secret(cookie).digest(),
                )
            )  # fmt: skip
        await unit.commit()
    await database.close()
    return cookies


def _authorization(cookie: str) -> bytes:
    challenge = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    query = (
        f"response_type=code&client_id={WEB_CLIENT_ID}&redirect_uri={quote(WEB_CALLBACK, safe='')}"
        f"&scope=openid%20orders:read&code_challenge={challenge}&code_challenge_method=S256&nonce=n&state={cookie}"
    )
    head = (f"GET /oauth/authorize?{query} HTTP/1.1", "Host: localhost", f"Cookie: mapae={cookie}")
    return ("\r\n".join(head) + "\r\n\r\n").encode()


class _Flows:
    """From the redirect to the token request, and from the tokens to the next authorization request."""

    def __init__(self, firsts: Sequence[bytes]) -> None:
        self._of_cookie = {first.partition(b"&state=")[2][:43].decode(): first for first in firsts}
        self._begun: dict[bytes, bytes] = {}

    def __call__(self, request: bytes, answer: bytes) -> bytes:
        if request.startswith(b"POST"):
            return self._begun.pop(request)
        location = next(
            line for line in answer.decode().split("\r\n") if line.lower().startswith("location: ")
        )
        told = parse_qs(urlsplit(location.partition(": ")[2]).query)
        redeeming = form(
            "/oauth/token",
            f"grant_type=authorization_code&code={told['code'][0]}&code_verifier={VERIFIER}"
            f"&redirect_uri={quote(WEB_CALLBACK, safe='')}",
            BASIC,
        )
        self._begun[redeeming] = self._of_cookie[told["state"][0]]
        return redeeming
