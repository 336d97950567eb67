"""Metrics in the text format of Prometheus; the workers of one server are added up."""

import os
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

#: Names the folder that workers share their numbers through; prometheus_client reads it when it is imported.
SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """What is counted. Labels have few values, none of which a caller chooses."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "mapae_request_seconds",
            "Seconds from a request to its answer, by what answered and the status.",
            ["endpoint", "status"],
            registry=self._registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
        )
        self._answered: dict[tuple[str, int], Histogram] = {}
        self._decisions = Counter(
            "mapae_refresh_decisions",
            "Refresh tokens presented, by what the rule decided: turned, replayed, refused, ended.",
            ["decision"],
            registry=self._registry,
        )
        self._reports = Counter(
            "mapae_refresh_reports",
            "Refresh tokens presented in a way an operator should know of, by the kind of report.",
            ["report"],
            registry=self._registry,
        )
        self._grants = Counter(
            "mapae_grants",
            "Token requests that were answered with tokens, by grant type.",
            ["grant_type"],
            registry=self._registry,
        )
        self._oauth_errors = Counter(
            "mapae_oauth_errors",
            "Requests that were answered with an OAuth error, by what answered and the error.",
            ["endpoint", "error"],
            registry=self._registry,
        )
        self._swept = Counter(
            "mapae_swept_rows",
            "Rows that the sweep deleted because they were long over, by table.",
            ["table"],
            registry=self._registry,
        )

        self._logout_deliveries = Counter(
            "mapae_logout_deliveries",
            "Tries to tell a client that a session is over (back-channel logout): delivered, put_off, given_up.",
            ["outcome"],
            registry=self._registry,
        )

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        """A request was answered."""
        child = self._answered.get((endpoint, status))
        if child is None:
            child = self._answered[endpoint, status] = self._requests.labels(endpoint, status)
        child.observe(seconds)

    def decided(self, decision: str, reports: Sequence[str]) -> None:
        """A refresh token was presented."""
        self._decisions.labels(decision).inc()
        for report in reports:
            self._reports.labels(report).inc()

    def granted(self, grant_type: str) -> None:
        """A token request was answered with tokens."""
        self._grants.labels(grant_type).inc()

    def refused(self, endpoint: str, error: str) -> None:
        """A request was answered with an OAuth error."""
        self._oauth_errors.labels(endpoint, error).inc()

    def swept(self, table: str, rows: int) -> None:
        """Rows were swept."""
        self._swept.labels(table).inc(rows)

    def logout_delivery(self, outcome: str) -> None:
        """A client was told that a session is over, or could not be told."""
        self._logout_deliveries.labels(outcome).inc()

    def text(self) -> bytes:
        """All of it as Prometheus reads it (text format 0.0.4)."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Name, type, labels and meaning of each, for the reference."""
        rows = []
        for metric in (
            self._requests, self._decisions, self._reports, self._grants, self._oauth_errors, self._swept,
            self._logout_deliveries,
        ):  # fmt: skip
            (described,) = _described(metric)
            suffix = "_total" if described.type == "counter" else ""
            labels = ", ".join(metric._labelnames)
            rows.append((described.name + suffix, described.type, labels, described.documentation))
        return rows


def _described(collector: Collector) -> list[Metric]:
    return list(collector.collect())
