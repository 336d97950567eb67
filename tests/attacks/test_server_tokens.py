"""The attacker presents something that is no access token of this server (RFC 8725, RFC 9068 section 4, RFC 6750)."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import pytest

from mapae.entropy import system_entropy
from mapae.jose import base64url, jwt
from mapae.jose.jwk import Jwk
from mapae.server.adapters.key_holders import SealedKeys
from mapae.server.adapters.sealing import Sealer
from mapae.server.store.engine import open_database
from tests.attacks.victim import SECRET_KEY, Victim, get, post, tokens_of, victim_process

PROTECTED = ["/auth/me", "/auth/sessions"]


@dataclass(frozen=True)
class Loot:
    """What an attacker may have: a token of alice's, and everything that is public."""

    victim: Victim
    tokens: dict[str, Any]
    header: dict[str, Any]
    claims: dict[str, Any]
    public: dict[str, Any]

    def forged(self, *, header: dict[str, Any] | None = None, signature: str = "", **claims: Any) -> str:
        """A token like alice's with members of the attacker's choice."""
        parts = [self.header | (header or {}), self.claims | claims]
        return ".".join([*(base64url.encode(json.dumps(part).encode()) for part in parts), signature])


@pytest.fixture(scope="module")
def loot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loot]:
    with victim_process(tmp_path_factory.mktemp("victim")) as victim:
        tokens = tokens_of(victim)
        header, claims = (
            json.loads(base64url.decode(part)) for part in tokens["access_token"].split(".")[:2]
        )
        with urlopen(f"{victim.issuer}/.well-known/jwks.json") as answer:
            (public,) = json.load(answer)["keys"]
        yield Loot(victim, tokens, header, claims, public)
        assert victim.is_well()


@pytest.fixture(scope="module")
def signing_key(loot: Loot) -> Jwk:
    """The server's own private key, as its operator could unseal it."""

    async def run() -> Jwk:
        database = open_database(f"sqlite:///{loot.victim.log.with_name('mapae.db')}")
        try:
            secret_key = base64url.decode(SECRET_KEY)
            holder = SealedKeys(secret_key, Sealer(secret_key, system_entropy), system_entropy)
            async with database.reading() as unit:
                (kept,) = (key for key in await unit.keys.all() if key.algorithm == "ES256")
            return holder.signer(kept).key
        finally:
            await database.close()

    return asyncio.run(run())


def signed_by(key: Jwk, loot: Loot, *, typ: str = "at+jwt", **claims: Any) -> str:
    return jwt.sign_claims(loot.claims | claims, key, typ=typ)


def macs_with_public_key(loot: Loot) -> str:
    key = Jwk.parse({"kty": "oct", "k": base64url.encode(json.dumps(loot.public).encode()), "alg": "HS256"})
    return signed_by(key, loot)


def altered(loot: Loot, part: int) -> str:
    parts = loot.tokens["access_token"].split(".")
    parts[part] = parts[part][:10] + ("A" if parts[part][10] != "A" else "B") + parts[part][11:]
    return ".".join(parts)


FORGERIES: dict[str, Callable[[Loot], str]] = {
    "the refresh token": lambda loot: loot.tokens["refresh_token"],
    "alg none": lambda loot: loot.forged(header={"alg": "none"}),
    "alg None": lambda loot: loot.forged(header={"alg": "None"}),
    "alg none with the old signature": lambda loot: loot.forged(
        header={"alg": "none"}, signature=loot.tokens["access_token"].split(".")[2]
    ),
    "another subject under the old signature": lambda loot: loot.forged(
        sub="0123456789ab", signature=loot.tokens["access_token"].split(".")[2]
    ),
    "no signature": lambda loot: loot.forged(),
    "HS256 with the public key": macs_with_public_key,
    "HS256 with the secret key": lambda loot: signed_by(
        Jwk.parse({"kty": "oct", "k": SECRET_KEY, "alg": "HS256", "kid": loot.header["kid"]}), loot
    ),
    "another key under the same kid": lambda loot: signed_by(
        Jwk.generate("ES256", kid=loot.header["kid"]), loot
    ),
    "another key in the header": lambda loot: loot.forged(
        header={"jwk": Jwk.generate("ES256").public().to_dict()}, signature="A" * 86
    ),
    "a key to fetch": lambda loot: loot.forged(
        header={"jku": "http://169.254.169.254/jwks.json"}, signature="A" * 86
    ),
    "kid that is a path": lambda loot: loot.forged(header={"kid": "../../dev/null"}, signature="A" * 86),
    "kid of 8 KiB": lambda loot: loot.forged(header={"kid": "k" * 8192}, signature="A" * 86),
    "crit": lambda loot: loot.forged(header={"crit": ["exp"]}, signature="A" * 86),
    "an altered header": lambda loot: altered(loot, 0),
    "altered claims": lambda loot: altered(loot, 1),
    "an altered signature": lambda loot: altered(loot, 2),
    "a signature of zeros": lambda loot: (
        f"{loot.tokens['access_token'].rpartition('.')[0]}.{base64url.encode(bytes(64))}"
    ),
    "a padded signature": lambda loot: loot.tokens["access_token"] + "==",
    "four parts": lambda loot: loot.tokens["access_token"] + ".e30",
    "five parts": lambda loot: loot.tokens["access_token"] + ".e30.e30",
    "two parts": lambda loot: loot.tokens["access_token"].rpartition(".")[0],
    "dots": lambda _: "..",
    "a word": lambda _: "undefined",
    "bytes": lambda _: "\xff\xfe\xfd",
    "deep JSON": lambda _: f"{base64url.encode(b'[' * 6000)}.e30.AA",
}


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_this_server_did_not_sign_as_an_access_token_is_401(loot: Loot, forgery: str, path: str) -> None:
    answer = loot.victim.ask(get(path, f"Authorization: Bearer {FORGERIES[forgery](loot)}"))
    assert (answer.status, answer.code) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_the_token_that_all_of_this_was_made_from_is_good(loot: Loot) -> None:
    answer = loot.victim.ask(get("/auth/me", f"Authorization: Bearer {loot.tokens['access_token']}"))
    assert (answer.status, json.loads(answer.body)["sub"]) == (200, loot.claims["sub"])


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Authorization: Basic YWxpY2U6cGFzc3dvcmQ=",),
        ("Cookie: access_token={token}",),
        ("X-Access-Token: {token}",),
    ],
)
def test_a_token_anywhere_but_in_the_authorization_header_is_no_token(
    loot: Loot, path: str, headers: tuple[str, ...]
) -> None:
    token = loot.tokens["access_token"]
    filled = [header.format(token=token) for header in headers]
    answer = loot.victim.ask(get(f"{path}?access_token={token}", *filled))
    assert (answer.status, answer.code) == (401, "token_missing")
    assert "error" not in answer.headers["www-authenticate"]


def test_two_tokens_at_once_are_refused_although_both_are_good(loot: Loot) -> None:
    header = f"Authorization: Bearer {loot.tokens['access_token']}"
    answer = loot.victim.ask(get("/auth/me", header, header))
    assert (answer.status, answer.code) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
def test_an_access_token_is_no_refresh_token(loot: Loot, path: str) -> None:
    body = json.dumps({"refresh_token": loot.tokens["access_token"]}).encode()
    answer = loot.victim.ask(post(path, body))
    assert answer.status == {"/auth/refresh": 401, "/auth/logout": 204}[path]
    still = loot.victim.ask(get("/auth/sessions", f"Authorization: Bearer {loot.tokens['access_token']}"))
    assert still.status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example.com"},
        {"iss": None},
        {"aud": "https://other.example.com"},
        {"aud": []},
        {"exp": 1},
        {"exp": "4102444800"},
        {"exp": None},
        {"iat": 4102444800},
        {"nbf": 4102444800},
        {"sub": None},
        {"sub": 7},
        {"client_id": None},
        {"jti": None},
    ],
    ids=repr,
)
def test_a_token_with_a_good_signature_still_has_to_say_the_right_things(
    loot: Loot, signing_key: Jwk, changed: dict[str, Any]
) -> None:
    claims = {name: value for name, value in (loot.claims | changed).items() if value is not None}
    token = jwt.sign_claims(claims, signing_key, typ="at+jwt")
    answer = loot.victim.ask(get("/auth/me", f"Authorization: Bearer {token}"))
    assert (answer.status, answer.code) == (401, "invalid_token")


@pytest.mark.parametrize(
    "typ", ["JWT", "dpop+jwt", "logout+jwt", "secevent+jwt", "oauth-authz-req+jwt", "at"]
)
def test_another_kind_of_token_of_this_server_is_no_access_token(
    loot: Loot, signing_key: Jwk, typ: str
) -> None:
    token = jwt.sign_claims(loot.claims, signing_key, typ=typ)
    answer = loot.victim.ask(get("/auth/me", f"Authorization: Bearer {token}"))
    assert (answer.status, answer.code) == (401, "invalid_token")


def test_the_key_that_those_were_signed_with_is_the_servers(loot: Loot, signing_key: Jwk) -> None:
    token = jwt.sign_claims(loot.claims, signing_key, typ="at+jwt")
    assert loot.victim.ask(get("/auth/me", f"Authorization: Bearer {token}")).status == 200
