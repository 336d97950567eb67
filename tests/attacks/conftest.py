"""Attackers meet the same server as everyone else."""

from tests.server.http.conftest import server

__all__ = ["server"]
