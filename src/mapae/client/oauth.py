"""Sign in at any OAuth 2.0 or OpenID Connect server: with a browser here, a browser elsewhere, or as a service.

Each way ends with a `Session` that keeps and renews its tokens as one that `Session.login` made.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep

from mapae.client.errors import LoginRefused, StepUpRequired
from mapae.client.loopback import listening
from mapae.client.oauth_answers import DevicePrompt
from mapae.client.oauth_flows import (
    Flow,
    SignedIn,
    adrive,
    browser_flow,
    client_credentials_flow,
    device_flow,
    drive,
)
from mapae.client.origin import issuer_url
from mapae.client.outside import THE_WORLD, Outside
from mapae.client.records import OAuthClient
from mapae.client.session import Session
from mapae.client.store import MemoryStore, Store, kept_store
from mapae.secret import Secret

__all__ = ["DevicePrompt", "OAuthClient", "OAuthServer", "Secret", "open_in_browser"]


def open_in_browser(url: str) -> None:
    """Open an address in the browser of the person.

    Raises:
        LoginRefused: there is none.
    """
    import webbrowser

    if not webbrowser.open(url):
        raise LoginRefused("no_browser", "no browser could be opened here; sign in with another device")


@dataclass(frozen=True, slots=True)
class OAuthServer:
    """A server, and a client that is registered there. Each method signs in and keeps the tokens.

    All of them raise `LoginRefused` when the person or the server said no, or nobody answered in time; `Unavailable`
    when the server gave no answer that could be used; `StoreFailed` when the tokens could not be kept; `Misuse` when
    the issuer is no URL that credentials may be sent to.

    Attributes:
        issuer: https URL of the server; http only for this machine.
        store: where the tokens rest; by default a file only this user can read, for a service memory.
        step_up: what an API wanted more, if that is why somebody signs in again. A device cannot ask for a stronger
            sign-in, only for a wider scope.
    """

    issuer: str
    client: OAuthClient
    store: Store | None = None
    step_up: StepUpRequired | None = None
    outside: Outside = THE_WORLD

    def login_with_browser(self, open_browser: Callable[[str], object] = open_in_browser) -> Session:
        """Sign in in a browser on this machine (authorization code with PKCE, RFC 8252).

        The client is registered with the redirect URI `http://127.0.0.1/callback`; a server takes any port with it
        (RFC 8252 section 7.3).

        Args:
            open_browser: is given the address; a command line may show it too.
        """
        session = self._session()
        with self._in_browser(session, open_browser) as flow:
            session.begin(drive(flow, self.outside.send, sleep))
        return session

    async def alogin_with_browser(self, open_browser: Callable[[str], object] = open_in_browser) -> Session:
        """As `login_with_browser`, for asyncio."""
        session = self._session()
        with self._in_browser(session, open_browser) as flow:
            session.begin(await adrive(flow, self.outside.send))
        return session

    def login_with_device(self, show: Callable[[DevicePrompt], object]) -> Session:
        """Sign in in a browser elsewhere (RFC 8628).

        Args:
            show: is given the code and the address that a person has to see.
        """
        session = self._session()
        flow = device_flow(session.request_sign_in(self.client), show, self.step_up)
        session.begin(drive(flow, self.outside.send, sleep))
        return session

    async def alogin_with_device(self, show: Callable[[DevicePrompt], object]) -> Session:
        """As `login_with_device`, for asyncio: the task waits without a thread, and can be cancelled."""
        session = self._session()
        flow = device_flow(session.request_sign_in(self.client), show, self.step_up)
        session.begin(await adrive(flow, self.outside.send))
        return session

    def login_as_client(self) -> Session:
        """Sign in as a service, by its own credentials (RFC 6749 section 4.4), which are used again to renew.

        A store other than memory keeps the secret beside the tokens.
        """
        session = self._session(MemoryStore())
        flow = client_credentials_flow(session.request_sign_in(self.client))
        session.begin(drive(flow, self.outside.send, sleep))
        return session

    def _session(self, default: Store | None = None) -> Session:
        issuer = issuer_url(self.issuer)
        return Session(issuer, self.store or default or kept_store(issuer), self.outside)

    @contextmanager
    def _in_browser(
        self, session: Session, open_browser: Callable[[str], object]
    ) -> Iterator[Flow[SignedIn]]:
        request = session.request_sign_in(self.client)
        with listening(self.client.client_id, self.outside.draw().reveal()) as redirects:
            yield browser_flow(request, redirects, open_browser, self.step_up)
