"""Generated requests, sound and unsound, to every endpoint that /openapi.json publishes.

OWASP ASVS 5.0 V4: schemathesis reads the document as any tool would, calls a real server, and looks for answers that
the document does not know, for crashes, and for headers and methods that are taken although they should not be.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.attacks.victim import CLIENT_SECRET, Victim, victim_process


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    with victim_process(tmp_path) as made:
        yield made
        assert made.is_well()


# Without a client's proof most requests to the token endpoint end early; with it, those that need another token do.
@pytest.mark.parametrize(
    "proof", [(), ("--auth", f"service:{quote_plus(CLIENT_SECRET)}")], ids=["stranger", "client"]
)
def test_the_endpoints_hold_what_the_document_says(
    victim: Victim, proof: tuple[str, ...], tmp_path: Path
) -> None:
    run = (
        *(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"{victim.issuer}/openapi.json",
            "--no-color",
            *proof,
        ),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--generation-deterministic"),
        # A sound form may still name no client, no code and no user that there is.
        *("--exclude-checks", "positive_data_acceptance", "--request-timeout", "10", "--workers", "2"),
    )
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
