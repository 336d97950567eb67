"""An API and a session for it, to test what carries the token to it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from mapae.client import MemoryStore, Session
from mapae.client.outside import Outside
from mapae.testing.clock import FixedClock
from tests.client.wire import AuthServer, Reply, Seen, auth_server, serving


@dataclass
class Api:
    """Takes the tokens it is told to, and remembers what it was sent.

    Attributes:
        redirect: where requests are sent on to, before anybody looks at their token.
        redirect_signed: where requests with a token that is taken are sent on to.
    """

    taken: set[str] = field(default_factory=set)
    challenge: str = 'Bearer error="invalid_token"'
    redirect: str = ""
    redirect_signed: str = ""
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    def answer(self, seen: Seen) -> Reply:
        """302 when a redirect is set, 200 with a token that is taken, else 401."""
        self.seen.append(seen)
        if self.redirect and seen.path != "/landed":
            return Reply(307, b"", {"Location": self.redirect})
        if seen.headers.get("authorization", "").removeprefix("Bearer ") in self.taken:
            landed = not self.redirect_signed or seen.path == "/landed"
            return Reply(200) if landed else Reply(307, b"", {"Location": self.redirect_signed})
        return Reply(401, b"{}", {"WWW-Authenticate": self.challenge})

    @property
    def authorizations(self) -> list[str | None]:
        """The header of each request, None where there was none."""
        return [seen.headers.get("authorization") for seen in self.seen]


@dataclass
class Bench:
    """A session, two APIs of which the first is the one its tokens are for, and clocks."""

    auth: AuthServer
    api: Api
    other: Api
    session: Session
    clock: FixedClock


@contextmanager
def signed_in() -> Iterator[Bench]:
    """A signed-in session, the API its token is for, and another one."""
    with ExitStack() as stack:
        auth, api, other, clock = stack.enter_context(auth_server()), Api(), Api(), FixedClock()
        api.url = stack.enter_context(serving(api.answer))
        other.url = stack.enter_context(serving(other.answer))
        store, outside = MemoryStore(), Outside(clock=clock)
        session = Session.login(auth.url, "alice", "open sesame", store=store, outside=outside)
        yield Bench(auth, api, other, session, clock)
