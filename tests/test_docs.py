"""The documentation says what the code says, links to what is there, and its programs run."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from docs.advice import PROBLEMS, told
from docs.generate import DOCS, stale
from examples.run import WHAT_TO_TRY
from mapae.oauth.client_metadata import ClientMetadata
from mapae.server.adapters.metrics import Metrics
from mapae.server.app import opened, routes
from mapae.server.domain.problems import ProblemCode
from mapae.server.domain.setup import TABLES, parse_setup
from mapae.server.http.pages.rendering import Pages
from mapae.server.settings import load_settings
from tests.journeys.processes import MAPAE, environment, free_port, mapae, started

ROOT = DOCS.parent
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "changes").glob("*.md")]
SECRET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def files(page: Path) -> dict[str, str]:
    """The files of a page: the code blocks that begin with a comment which is a path."""
    named = (re.match(r"# (\S+\.(?:py|toml))\n", block) for block in blocks(page, r"\w+"))
    return {found[1]: found.string for found in named if found}


def names(page: Path) -> set[str]:
    """What a generated page has in the first column of its tables, as code."""
    cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page.read_text("utf-8"), re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"\w+", cell)}


def test_the_reference_is_up_to_date() -> None:
    assert stale() == [], "run python -m docs.generate"


def test_every_problem_is_on_the_page() -> None:
    assert {code.value for code in ProblemCode} <= names(DOCS / "errors.md")


def test_a_code_without_a_line_is_named() -> None:
    lines = dict(PROBLEMS)
    del lines[ProblemCode.BUSY]
    with pytest.raises(LookupError, match="ProblemCode busy"):
        told(lines, ProblemCode)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_what_is_there(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(target)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page make."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


async def test_every_address_is_documented_and_every_documented_one_is_there(sqlite_url: str) -> None:
    environ = {"MAPAE_DEV": "true", "MAPAE_DATABASE_URL": sqlite_url, "MAPAE_SECRET_KEY": SECRET_KEY}
    settings = load_settings(environ)
    async with opened(settings) as house:
        served = {
            f"{method} {route.path}"
            for route in routes(settings, house, Metrics(), Pages(settings.issuer))
            if isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
        }
    pages = [(DOCS / "reference" / name).read_text("utf-8") for name in ("session-api.md", "oauth.md")]
    documented = [one for text in pages for one in re.findall(r"^#+ `([A-Z]+ /\S+)`$", text, re.MULTILINE)]
    assert sorted(documented) == sorted(served)


def test_every_decision_is_in_the_list() -> None:
    decisions = DOCS / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (decisions / "README.md").read_text("utf-8"))
    assert listed == sorted(path.name for path in decisions.glob("0*.md"))


def test_the_readme_and_make_run_say_the_same_three_commands() -> None:
    commands = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    shown = WHAT_TO_TRY.format(bin=".venv/bin")
    tried = [line.strip() for line in shown.splitlines() if "bin/mapae" in line]
    assert len(tried) == 3
    assert tried == [line for line in commands if "bin/mapae" in line]


def test_every_key_of_the_setup_file_is_documented_and_every_documented_one_is_there() -> None:
    known = {key for keys in TABLES.values() for key in keys}
    assert names(DOCS / "reference" / "setup-file.md") == known


@pytest.mark.parametrize("page", ["README.md", "docs/reference/setup-file.md"])
def test_the_examples_of_set_up_files_are_some(page: str) -> None:
    (text,) = blocks(ROOT / page, "toml")
    setup = parse_setup(tomllib.loads(text))
    assert [user.username.key for user in setup.users] == ["alice"]


def test_the_clients_of_the_how_to_can_be_registered() -> None:
    texts = blocks(DOCS / "how-to/register-a-client.md", "toml")
    setup = parse_setup(tomllib.loads("\n".join(texts)))
    assert [client.metadata.application_type for client in setup.clients].count("native") == 1
    assert len(setup.clients) == len(texts)


def test_the_key_pair_of_the_how_to_can_be_registered() -> None:
    (script,) = blocks(DOCS / "how-to/register-a-client.md", "python")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    _, public = (json.loads(line.partition(": ")[2]) for line in done.stdout.splitlines())
    metadata = {"grant_types": [], "token_endpoint_auth_method": "private_key_jwt"}
    assert ClientMetadata.parse({**metadata, "jwks": {"keys": [public]}}).jwks


@pytest.mark.parametrize("number", [0, 1])
async def test_the_apis_of_the_readme_want_a_token(number: int) -> None:
    names: dict[str, object] = {}
    exec(blocks(ROOT / "README.md", "python")[number], names)
    transport = httpx.ASGITransport(names["app"])  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="https://api.example.com") as http:
        answer = await http.get("/orders")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_the_settings_for_production_can_be_used(tmp_path: Path) -> None:
    (text,) = (text for name, text in files(DOCS / "how-to/run-in-production.md").items() if "toml" in name)
    (tmp_path / "mapae.toml").write_text(text)
    (tmp_path / "secret_key").write_text(f"{SECRET_KEY}\n")
    environ = {"MAPAE_CONFIG": f"{tmp_path}/mapae.toml", "MAPAE_SECRET_KEY_FILE": f"{tmp_path}/secret_key"}
    assert load_settings(environ).issuer == "https://auth.example.com"


def test_the_tests_of_the_how_to_pass(tmp_path: Path) -> None:
    for page in ("protect-a-fastapi-api.md", "test-your-api.md"):
        for name, text in files(DOCS / "how-to" / page).items():
            (tmp_path / name).write_text(text)
    run = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
        str(tmp_path),
    ]
    environ = environment(PYTHONPATH=f"{tmp_path}:{ROOT}")
    done = subprocess.run(run, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "16 passed" in done.stdout


ASKING = """
import sys
from importlib import import_module

import auth
import httpx
from mapae.testing import Issuer

issuer = Issuer(audience="https://api.example.com")
auth.verifier = issuer.verifier()
app = import_module(sys.argv[1]).app
if sys.argv[1] == "starlette_orders":
    from starlette.testclient import TestClient

    http = TestClient(app)
else:
    http = httpx.Client(transport=httpx.WSGITransport(app, raise_app_exceptions=False), base_url="http://api")
for token in ("none", issuer.token(scopes=["orders:read"]), issuer.token(), issuer.token(expired=True)):
    headers = {} if token == "none" else {"Authorization": f"Bearer {token}"}
    print(http.get("/orders", headers=headers).status_code)
"""


@pytest.mark.parametrize(
    ("module", "answers"),
    [
        ("starlette_orders", [403, 200, 403, 401]),
        ("flask_orders", [401, 200, 403, 401]),
        ("wsgi_orders", [401, 200, 403, 401]),
    ],
)
def test_the_apis_in_other_frameworks_want_a_token(module: str, answers: list[int], tmp_path: Path) -> None:
    for name, text in files(DOCS / "how-to/protect-an-api-in-another-framework.md").items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", ASKING, module],
        env=environment(PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert [int(line) for line in done.stdout.split()] == answers, done.stderr


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """The server and the API of the how-to on free ports: what stands for their addresses, and the environment."""
    server, api = free_port(), free_port()
    at = {"localhost:8000": f"localhost:{server}", "localhost:8001": f"localhost:{api}"}
    for name, text in files(DOCS / "how-to/protect-a-fastapi-api.md").items():
        (tmp_path / name).write_text(_moved(text, at))
    environ = environment(
        MAPAE_DEV="true",
        MAPAE_ISSUER=f"http://localhost:{server}",
        MAPAE_DATABASE_URL=f"sqlite:///{tmp_path}/mapae.db",
        MAPAE_SECRET_KEY=SECRET_KEY,
        MAPAE_HOME=str(tmp_path / "home"),
        PYTHONPATH=str(tmp_path),
    )
    serve = [str(MAPAE), "serve", "--dev", "--port", str(server)]
    uvicorn = [sys.executable, "-m", "uvicorn", "refusals:app", "--port", str(api)]
    ready = f"http://localhost:{server}/health/ready"
    with started(serve, environ=environ, ready=ready, log=tmp_path / "server.log"):
        mapae("apply", str(tmp_path / "setup.toml"), environ=environ)
        api_up = f"http://localhost:{api}/orders"
        with started(uvicorn, environ=environ, ready=api_up, log=tmp_path / "api.log"):
            yield at, environ


def _moved(text: str, at: dict[str, str]) -> str:
    for documented, actual in at.items():
        text = text.replace(documented, actual)
    return text


def test_the_snippets_of_the_client_run(world: tuple[dict[str, str], dict[str, str]], tmp_path: Path) -> None:
    at, environ = world
    script = _moved("\n".join(blocks(DOCS / "how-to/use-the-client.md", "python")), at)
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert printed[:3] == ["['saddle']"] * 3  # httpx, requests, aiohttp
    assert printed[3:6] == ['["saddle"]', "alice", "not_signed_in"]
    assert re.fullmatch(r"4\d\d bytes", printed[6])


def test_the_commands_of_the_how_to_run(world: tuple[dict[str, str], dict[str, str]], tmp_path: Path) -> None:
    at, environ = world
    script = _moved("\n".join(blocks(DOCS / "how-to/use-the-command-line.md", "sh")), at)
    done = subprocess.run(
        ["sh", "-eux", "-c", script],
        env={**environ, "PATH": f"{MAPAE.parent}:{environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].endswith("on all devices.")


def test_the_readme_signs_in_and_calls(world: tuple[dict[str, str], dict[str, str]], tmp_path: Path) -> None:
    at, environ = world
    actual = {
        "https://auth.example.com": f"http://{at['localhost:8000']}",
        "https://api.example.com": f"http://{at['localhost:8001']}",
    }
    (tmp_path / "script.py").write_text(_moved(blocks(ROOT / "README.md", "python")[2], actual))
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_every_fragment_has_a_kind_and_says_something() -> None:
    readme = (ROOT / "changes" / "README.md").read_text("utf-8")
    kinds = re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)
    fragments = sorted(path for path in (ROOT / "changes").iterdir() if path.name != "README.md")
    form = re.compile(rf"[a-z0-9-]+\.({'|'.join(kinds)})\.md")
    assert [path.name for path in fragments if not form.fullmatch(path.name)] == []
    assert [path.name for path in fragments if not re.match(r"[^#\s-]", path.read_text("utf-8"))] == []
