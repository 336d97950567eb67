"""A server with TLS of a private CA, a person at a browser, and clients that nobody here wrote."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Error, Request, sync_playwright

from mapae.jose.jwk import Jwk
from tests.chromium import ChromiumMissing, chromium
from tests.debian import InstallFailed, install
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started
from tests.private_ca import private_ca

HERE = Path(__file__).parent
PASSWORD = "correct horse battery staple"
SECRET = "a secret of the web client, 32 bytes or more"
#: Where the client is. Nobody is there, and nobody has to be: the request of the browser says it all.
APP = "https://app.example.com/"
#: Pages of clients: those, and of programs that listen on this machine.
CLIENTS = (APP, "http://127.0.0.1:")
CALLBACK = f"{APP}callback"
SIGNED_OUT = f"{APP}signed-out"
API = "https://api.example.com"
SETUP = """
[[resource_servers]]
audience = "{api}"
scopes = ["orders:read", "orders:write"]

[[users]]
username = "alice"
password = "{password}"
email = "alice@example.com"
email_verified = true
name = "Alice Example"
roles = ["member"]

[[clients]]
client_id = "web"
client_secret = "{secret}"
client_name = "Web shop"
redirect_uris = ["{callback}"]
post_logout_redirect_uris = ["{signed_out}"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"
scope = "openid profile email offline_access orders:read"

[[clients]]
client_id = "browser-app"
client_name = "Browser app"
redirect_uris = ["{callback}"]
grant_types = ["authorization_code", "refresh_token"]
token_endpoint_auth_method = "none"
id_token_signed_response_alg = "ES256"
scope = "openid profile email offline_access"

[[clients]]
client_id = "service"
grant_types = ["client_credentials"]
token_endpoint_auth_method = "private_key_jwt"
scope = "orders:read"
{jwks}
"""


@dataclass(frozen=True)
class Provider:
    """A running server, the file of the CA that its certificate is from, and the key of its client `service`."""

    issuer: str
    ca: Path
    key: Jwk


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The server, with one user, three clients and a resource server."""
    folder = tmp_path_factory.mktemp("provider")
    authority = private_ca(folder)
    chain, private = authority.files_for("localhost")
    key = Jwk.generate("ES256")
    issuer = f"https://localhost:{free_port()}"
    environ = environment(
        MAPAE_ISSUER=issuer,
        MAPAE_DATABASE_URL=f"sqlite:///{folder}/mapae.db",
        MAPAE_SECRET_KEY="c2VjcmV0IGtleSBvZiB0aGUgaW50ZXJvcCB0ZXN0cyE",
        MAPAE_TLS_CERT=str(chain),
        MAPAE_TLS_KEY=str(private),
        SSL_CERT_FILE=str(authority.file),
    )
    setup = folder / "setup.toml"
    setup.write_text(
        SETUP.format(
            api=API,
            password=PASSWORD,
            secret=SECRET,
            callback=CALLBACK,
            signed_out=SIGNED_OUT,
            jwks=_jwks(key),
        )
    )
    mapae("migrate", environ=environ)
    mapae("apply", str(setup), environ=environ)
    port = issuer.rpartition(":")[2]
    command = (MAPAE, "serve", "--port", port)
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as trusting:
            trusting.setenv("SSL_CERT_FILE", str(authority.file))
            ready, log = f"{issuer}/health/ready", folder / "log"
            stack.enter_context(started(command, environ=environ, ready=ready, log=log))
        yield Provider(issuer, authority.file, key)


def _jwks(key: Jwk) -> str:
    members = ", ".join(f'{name} = "{value}"' for name, value in key.public().to_dict().items())
    return f"[clients.jwks]\nkeys = [{{ {members} }}]\n"


@pytest.fixture
def provider(running: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The server. During a test this process, and the clients it starts, believe its CA."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        monkeypatch.setenv(name, str(running.ca))
    return running


@dataclass(frozen=True)
class Person:
    """Somebody at a browser who signs in as alice and allows what is asked."""

    browser: Browser

    @contextmanager
    def at_the_screen(self) -> Iterator[Callable[[str], str]]:
        """A fresh browser profile: what visits a URL, does what the pages ask for, and tells where it ended."""
        context = self.browser.new_context(ignore_https_errors=True, locale="en")
        page = context.new_page()
        ended: list[str] = []

        def arriving(request: Request) -> None:
            if request.url.startswith(CLIENTS):
                ended.append(request.url)

        page.on("request", arriving)

        def visit(url: str) -> str:
            ended.clear()
            with suppress(Error):  # nobody is at the client's page
                page.goto(url)
            while not ended:
                if page.locator("#login-submit").count():
                    page.fill("[name=username]", "alice")
                    page.fill("[name=password]", PASSWORD)
                    page.click("#login-submit")
                elif page.locator("#consent-allow").count():
                    page.click("#consent-allow")
                elif page.locator("#logout-confirm").count():
                    page.click("#logout-confirm")
                else:
                    page.wait_for_event(
                        "request", lambda request: request.url.startswith(CLIENTS), timeout=10_000
                    )
            return ended[-1]

        try:
            yield visit
        finally:
            context.close()


# No longer than a module: while a synchronous Playwright is there, no other test of the process can be asynchronous.
@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    """Somebody at Chromium."""
    try:
        path = chromium()
    except ChromiumMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield Person(browser)
        browser.close()


@pytest.fixture
def visit(person: Person) -> Iterator[Callable[[str], str]]:
    """Visit a URL in a fresh browser profile; tells the URL where it ended."""
    with person.at_the_screen() as visiting:
        yield visiting


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The npm packages of package.json, installed once for all test processes."""
    with FileLock(HERE / ".installing"):
        if shutil.which("npm") is None and os.geteuid() == 0 and shutil.which("apt-get"):
            with suppress(InstallFailed):
                install("npm")
        npm = shutil.which("npm")
        if npm is None:
            pytest.fail("These tests need Node.js and npm: on Debian, apt-get install npm.", pytrace=False)
        if not (HERE / "node_modules").is_dir():
            command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
            subprocess.run(command, cwd=HERE, check=True, timeout=300)
    return HERE / "node_modules"


def converse(script: str, told: Mapping[str, Any], visit: Callable[[str], str]) -> Any:
    """Run a script under Node.js, and do at the browser what it asks for: what it says in the end."""
    process = subprocess.Popen(
        ["node", HERE / script, json.dumps(told)],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    with process:
        for line in process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word != "visit":
                return json.loads(line)
            process.stdin.write(visit(rest) + "\n")
            process.stdin.flush()
        assert process.stderr
        raise AssertionError(process.stderr.read())
