"""A standard OAuth server on the loopback interface: strict rotation, no replay, a page where anybody is signed in."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

from mapae.client.oauth_requests import challenge_of
from mapae.jose import base64url
from mapae.secret import Secret
from tests.client.wire import Reply, Seen, serving


@dataclass
class OAuthWire:
    """What it was asked, and what it answers.

    Attributes:
        metadata: members that differ from what is right.
        redirect: parameters of the redirect that differ.
        answers: members of token answers that differ; None leaves one out.
        polls: what the next polls of the device are told, before the tokens.
        reused: refresh tokens that came twice.
        before_answer: called before each answer.
    """

    life_s: int = 300
    rotates: bool = True
    turn: int = 0
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    redirect: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)
    polls: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    authorized: dict[str, str] = field(default_factory=dict)
    before_answer: Callable[[], None] = lambda: None

    def calls_to(self, path: str) -> list[Seen]:
        """The requests for a path, oldest first."""
        return [seen for seen in self.seen if urlsplit(seen.path).path == path]

    def answer(self, seen: Seen) -> Reply:
        """The reply to one request."""
        self.seen.append(seen)
        path = urlsplit(seen.path).path
        if self.replies and path != "/.well-known/openid-configuration":
            return self.replies.pop(0)
        match path:
            case "/.well-known/openid-configuration":
                return self._json(200, self._metadata())
            case "/authorize":
                return self._authorize(parse_qs(urlsplit(seen.path).query))
            case "/token":
                return self._token(seen.body)
            case "/device":
                return self._json(200, self._device())
            case "/revoke":
                return Reply(200, b"")
            case _:
                return Reply(404)

    def browse(self, url: str) -> None:
        """What a browser does with the address, and a person who agrees."""
        with urlopen(url, timeout=10) as page:
            self.page = page.read().decode()

    def _metadata(self) -> dict[str, Any]:
        right = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "device_authorization_endpoint": f"{self.url}/device",
            "revocation_endpoint": f"{self.url}/revoke",
            "authorization_response_iss_parameter_supported": True,
        }
        return {name: value for name, value in {**right, **self.metadata}.items() if value is not None}

    def _authorize(self, query: dict[str, list[str]]) -> Reply:
        self.authorized = {name: values[0] for name, values in query.items()}
        back = {"code": "the-code", "state": self.authorized["state"], "iss": self.url, **self.redirect}
        sent = urlencode({name: value for name, value in back.items() if value})
        return Reply(302, b"", {"Location": f"{self.authorized['redirect_uri']}?{sent}"})

    def _token(self, form: dict[str, Any]) -> Reply:
        match form["grant_type"]:
            case "authorization_code":
                challenge = challenge_of(Secret(form["code_verifier"]))
                right = challenge == self.authorized["code_challenge"] and form["code"] == "the-code"
                return self._tokens() if right else self._json(400, {"error": "invalid_grant"})
            case "refresh_token" if form["refresh_token"] == f"r-{self.turn}":
                self.turn += self.rotates
                return self._tokens()
            case "refresh_token":
                self.reused.append(form["refresh_token"])
                return self._json(400, {"error": "invalid_grant"})
            case "urn:ietf:params:oauth:grant-type:device_code" if self.polls:
                return self._json(400, {"error": self.polls.pop(0)})
            case _:
                return self._tokens()

    def _tokens(self) -> Reply:
        claims = {
            "iss": self.url,
            "aud": "native",
            "sub": "id-1",
            "preferred_username": "alice",
            **self.id_token,
        }
        if "nonce" in self.authorized:
            claims.setdefault("nonce", self.authorized["nonce"])
        payload = base64url.encode(json.dumps(claims).encode())
        right = {
            "access_token": f"access-{self.turn}-{len(self.calls_to('/token'))}",
            "token_type": "Bearer",
            "expires_in": self.life_s,
            "refresh_token": f"r-{self.turn}",
            "id_token": f"e30.{payload}.sig",
        }
        members = {name: value for name, value in {**right, **self.answers}.items() if value is not None}
        return self._json(200, members)

    def _device(self) -> dict[str, Any]:
        return {
            "device_code": "the-device-code",
            "user_code": "WDJB-MJHT",
            "verification_uri": f"{self.url}/activate",
            "verification_uri_complete": f"{self.url}/activate?code=WDJB-MJHT",
            "expires_in": 60,
            "interval": 0.01,
        }

    def _json(self, status: int, members: dict[str, Any]) -> Reply:
        return Reply(status, json.dumps(members).encode())


def basic(seen: Seen) -> str:
    """The credentials in a request, decoded."""
    return b64decode(seen.headers["authorization"].removeprefix("Basic ")).decode()


@contextmanager
def oauth_server(**state: Any) -> Iterator[OAuthWire]:
    """An `OAuthWire` behind a socket."""
    server = OAuthWire(**state)
    # Looked up at each request, so that a test can set it later.
    with serving(server.answer, before_answer=lambda: server.before_answer()) as server.url:  # noqa: PLW0108
        yield server
