"""Packages of Debian, for tests whose servers and devices are not on the machine yet."""

import os
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock


class InstallFailed(Exception):
    """What apt-get said."""


def install(package: str) -> None:
    """Install a package; only root can.

    Raises:
        InstallFailed: it could not be installed.
    """
    # Processes that share the tests may want packages at the same time; apt-get does not wait for itself.
    with FileLock(Path(tempfile.gettempdir()) / "mapae-tests-apt.lock"):
        _install(package)


def _install(package: str) -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise InstallFailed(f"apt-get {arguments[0]} failed, so there is no {package}:\n{done.stdout}")
