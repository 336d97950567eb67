"""Generated requests, sound and unsound, to every endpoint that /openapi.json publishes.

OWASP ASVS 5.0 V4: schemathesis reads the document as any tool would, calls a real server, and looks for answers that
the document does not know, for crashes, and for headers and methods that are taken although they should not be.
"""

import subprocess
import sys
from pathlib import Path

from tests.journeys.processes import MAPAE, environment, free_port, mapae, started

SETUP = """
[[users]]
username = "alice"
password = "correct horse battery staple"

[[resource_servers]]
audience = "https://api.example.com"
scopes = ["orders:read"]

[[clients]]
client_id = "web"
client_secret = "a secret of the web client"
redirect_uris = ["https://app.example.com/callback"]
"""


def test_the_endpoints_hold_what_the_document_says(tmp_path: Path) -> None:
    issuer = f"http://127.0.0.1:{(port := free_port())}"
    environ = environment(
        MAPAE_ISSUER=issuer,
        MAPAE_DATABASE_URL=f"sqlite:///{tmp_path}/mapae.db",
        MAPAE_SECRET_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    )
    setup, log = tmp_path / "setup.toml", tmp_path / "log"
    setup.write_text(SETUP)
    mapae("migrate", environ=environ)
    mapae("apply", str(setup), environ=environ)
    run = (
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{issuer}/openapi.json", "--no-color"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--generation-deterministic"),
        # A sound form may still name no client, no code and no user that there is.
        *("--exclude-checks", "positive_data_acceptance", "--request-timeout", "10", "--workers", "2"),
    )
    with started(
        (MAPAE, "serve", "--port", str(port)), environ=environ, ready=f"{issuer}/health/ready", log=log
    ):
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "server_error" not in log.read_text()
