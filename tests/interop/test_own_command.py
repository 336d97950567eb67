"""Our own command line, at the same pages as everybody else."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.interop.conftest import API, Provider
from tests.journeys.processes import MAPAE, environment, until


def test_mapae_login_in_a_browser(provider: Provider, visit: Callable[[str], str], tmp_path: Path) -> None:
    address, browser = tmp_path / "address", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {address}.part && mv {address}.part {address}\n')
    browser.chmod(0o755)
    environ = environment(BROWSER=f"{browser} %s", MAPAE_HOME=str(tmp_path / "home"))
    command = (MAPAE, "login", provider.issuer, "--browser", "--scope", "openid orders:read")
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as login:
        until(address.exists)
        visit(address.read_text())
        out, err = login.communicate(timeout=20)
    assert login.returncode == 0, err
    assert out.startswith(f"Signed in to {provider.issuer}")
    shown = subprocess.run(
        [MAPAE, "decode", "--json"], env=environ, capture_output=True, text=True, check=True
    )
    claims = json.loads(shown.stdout)["claims"]
    assert API in json.dumps(claims)
    assert "orders:read" in json.dumps(claims)
    subprocess.run([MAPAE, "logout"], env=environ, check=True, timeout=20)
    after = subprocess.run([MAPAE, "token"], env=environ, capture_output=True, check=False)
    assert after.returncode == 3
