"""A hardware module in software: SoftHSM, found or installed, with tokens of its own for the tests."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.debian import InstallFailed, install

PIN, SECURITY_OFFICER_PIN = "1234", "5678"


class SoftHsmMissing(Exception):
    """There is no SoftHSM, and none can be installed."""


@dataclass
class SoftHsm:
    """A folder of tokens. `SOFTHSM2_CONF` in the environment has to name `configuration`."""

    folder: Path
    library: Path
    _numbers: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        (self.folder / "tokens").mkdir()
        self.configuration.write_text(f"directories.tokendir = {self.folder / 'tokens'}\nlog.level = ERROR\n")

    @property
    def configuration(self) -> Path:
        """SoftHSM's own settings."""
        return self.folder / "softhsm2.conf"

    def create_token(self) -> str:
        """Make a token with `PIN`: its label."""
        label = f"token-{next(self._numbers)}"
        subprocess.run(
            [
                "softhsm2-util", "--init-token", "--free", "--label", label,
                "--pin", PIN, "--so-pin", SECURITY_OFFICER_PIN,
            ],
            env={**os.environ, "SOFTHSM2_CONF": str(self.configuration)},
            check=True,
            capture_output=True,
        )  # fmt: skip
        return label


def find_library() -> Path:
    """SoftHSM's PKCS#11 library: where Debian keeps it, or installed now by root.

    Raises:
        SoftHsmMissing: neither found nor to be installed.
    """
    found = _installed_library()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = _installed_library()
    if found is None:
        raise SoftHsmMissing("The tests need SoftHSM: install it (on Debian: apt-get install softhsm2).")
    return found


def _installed_library() -> Path | None:
    if not shutil.which("softhsm2-util"):
        return None
    folders = [*Path("/usr/lib").glob("*/softhsm"), Path("/usr/lib/softhsm"), Path("/usr/local/lib/softhsm")]
    return next((path / "libsofthsm2.so" for path in folders if (path / "libsofthsm2.so").exists()), None)


def _install() -> None:
    try:
        install("softhsm2")
    except InstallFailed as failed:
        raise SoftHsmMissing(str(failed)) from failed
