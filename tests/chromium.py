"""Chromium: found, or installed by root."""

import os
import shutil

from tests.debian import InstallFailed, install


class ChromiumMissing(Exception):
    """There is no Chromium, and none can be installed."""


def chromium() -> str:
    """The path of Chromium: on the PATH, or installed now by root.

    Raises:
        ChromiumMissing: neither found nor to be installed.
    """
    found = shutil.which("chromium")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            install("chromium")
        except InstallFailed as failed:
            raise ChromiumMissing(str(failed)) from failed
        found = shutil.which("chromium")
    if found is None:
        raise ChromiumMissing("The tests need Chromium: install it (on Debian: apt-get install chromium).")
    return found
