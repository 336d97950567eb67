"""The server of docs/how-to/run-the-conformance-suite.md, over TLS, and the suite's configuration from there."""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.browser import Browser
from tests.conformance.logout_listener import LogoutListener, listening
from tests.conformance.provider import Provider
from tests.conformance.relying_party import RelyingParty
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started
from tests.private_ca import PrivateCa, private_ca
from tests.test_docs import ROOT, blocks

_PAGE = ROOT / "docs" / "how-to" / "run-the-conformance-suite.md"
_SUITE, _ISSUER = "https://localhost.emobix.co.uk:8443", "https://op.example.com"


@dataclass(frozen=True)
class Conformance:
    """Everything that modules are run with. Addresses of the suite are those of `listener`."""

    provider: Provider
    listener: LogoutListener
    tls: ssl.SSLContext
    browsers: list[Browser] = field(default_factory=list)

    def run(self, plan: Mapping[str, Any], **more: Any) -> RelyingParty:
        """Begin a module of a plan: a client, and a browser in which nobody is signed in."""
        provider = replace(self.provider, config={**self.provider.config, **plan})
        browser = Browser(provider.issuer, provider.config["browser"], self.tls)
        self.browsers.append(browser)
        return RelyingParty(provider, browser, self.listener.origin, **more)


@pytest.fixture(scope="session")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conformance]:
    """The server, set up as the page says."""
    folder, ca = tmp_path_factory.mktemp("server"), private_ca(tmp_path_factory.mktemp("ca"))
    issuer, tls = f"https://localhost:{free_port()}", ssl.create_default_context(cafile=ca.file)
    with ExitStack() as stack:
        listener = stack.enter_context(listening(ca))
        (setup,), (config,) = (
            [
                block.replace(_SUITE, listener.origin).replace(_ISSUER, issuer)
                for block in blocks(_PAGE, language)
            ]
            for language in ("toml", "json")
        )
        _serve(stack, issuer, folder, ca, setup)
        http = stack.enter_context(httpx.Client(verify=tls))
        made = Conformance(Provider(issuer, json.loads(config), folder / "mapae.db", http), listener, tls)
        yield made
        for browser in made.browsers:
            browser.close()


def _serve(stack: ExitStack, issuer: str, folder: Path, ca: PrivateCa, setup: str) -> None:
    chain, key = ca.files_for("localhost")
    environ = environment(
        MAPAE_ISSUER=issuer,
        MAPAE_DATABASE_URL=f"sqlite:///{folder}/mapae.db",
        MAPAE_SECRET_KEY="c2VjcmV0IGtleSBvZiB0aGUgY29uZm9ybWFuY2UhISE",
        MAPAE_TLS_CERT=str(chain),
        MAPAE_TLS_KEY=str(key),
        MAPAE_OUTBOUND_ALLOW="localhost",
        MAPAE_OUTBOUND_CA_FILE=str(ca.file),
        MAPAE_ARGON2_MEMORY_KIB="7168",
        MAPAE_ARGON2_TIME_COST="5",
    )
    (folder / "conformance.toml").write_text(setup, "utf-8")
    mapae("migrate", environ=environ)
    mapae("apply", str(folder / "conformance.toml"), environ=environ)
    command = (MAPAE, "serve", "--port", issuer.rpartition(":")[2])
    with pytest.MonkeyPatch.context() as patch:  # for whoever waits for the server
        patch.setenv("SSL_CERT_FILE", str(ca.file))
        stack.enter_context(
            started(command, environ=environ, ready=f"{issuer}/health/ready", log=folder / "log")
        )
