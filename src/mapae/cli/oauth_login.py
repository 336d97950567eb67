"""Sign in with a browser, on this machine or on another device, and tell the person what to do there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from mapae.cli.moments import span
from mapae.cli.output import paint, printable
from mapae.cli.progress import progress
from mapae.client.errors import LoginRefused
from mapae.client.oauth import DevicePrompt, OAuthServer, open_in_browser
from mapae.client.session import Session


def login_with_browser(server: OAuthServer) -> Session:
    """Open the browser of this machine and wait until it comes back.

    Raises:
        ClientError: as `OAuthServer.login_with_browser`.
    """

    def show(url: str) -> str:
        try:
            open_in_browser(url)
        except LoginRefused:
            click.echo(f"Open this address in a browser on this machine:\n{printable(url)}", err=True)
        else:
            click.echo(f"A browser opens. If none does, open this address:\n{printable(url)}", err=True)
        return "Waiting for the browser …"

    with _waiting_after(show) as open_browser:
        return server.login_with_browser(open_browser)


def login_with_device(server: OAuthServer) -> Session:
    """Show a code to enter in any browser and wait until somebody did.

    Raises:
        ClientError: as `OAuthServer.login_with_device`.
    """

    def show(prompt: DevicePrompt) -> str:
        code, place = printable(prompt.user_code), printable(prompt.verification_uri)
        click.echo(
            f"On any device, open {paint(place, bold=True)} and enter {paint(code, bold=True)} "
            f"within {span(prompt.expires_in)}.",
            err=True,
        )
        if prompt.verification_uri_complete:
            click.echo(f"Or open {printable(prompt.verification_uri_complete)}", err=True)
        return "Waiting for the code to be entered …"

    with _waiting_after(show) as told:
        return server.login_with_device(told)


@contextmanager
def _waiting_after(show: Callable[..., str]) -> Iterator[Callable[..., None]]:
    """A function that calls `show`, and from then to the end of this shows the text it returns as progress."""
    with ExitStack() as until_signed_in:
        yield lambda shown: until_signed_in.enter_context(progress(show(shown)))
