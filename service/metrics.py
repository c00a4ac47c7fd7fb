"""What operators watch, as Prometheus metrics.  Imports prometheus-client only; figures from the store are handed in.

Counters belong to the process that counts; gauges of what waits or stands in the store are read when somebody asks, so they
are right in whichever process is asked.  Labels hold codes and rule ids, never a case, a person or a source's data.
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server
from prometheus_client import Gauge as Own
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.logs import get

PORTS = 64
"""Processes of one machine that may tell their figures."""

_log = get("metrics")


@dataclass(frozen=True, slots=True)
class Standing:
    """Figures of the store at one instant.  Ages are in seconds; None where there is nothing that could have an age."""

    dirty: int = 0
    dirty_oldest: float = 0.0
    quarantined: int = 0
    outbox: int = 0
    outbox_oldest: float = 0.0
    notices: Mapping[str, float] = field(default_factory=dict)
    """Messages that wait for each receiver."""
    notices_oldest: Mapping[str, float] = field(default_factory=dict)
    """How long the one that waits longest for each receiver has waited."""
    dead: Mapping[str, float] = field(default_factory=dict)
    """Messages for each receiver that were given up."""
    verdicts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """By (policy, rule, verdict)."""
    breaches: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By (condition, severity)."""
    sources: Mapping[str, float] = field(default_factory=dict)
    """How far behind now each source's word of completeness is."""
    rejects: Mapping[str, float] = field(default_factory=dict)
    """Records of each source that were refused and wait."""
    failures: Mapping[str, float] = field(default_factory=dict)
    """Pulls of each source that have failed in a row."""
    good_pulls: Mapping[str, float] = field(default_factory=dict)
    """Seconds since each source's last good pull."""
    troubles: Mapping[str, int] = field(default_factory=dict)
    """How often /readyz tells each code, of those that it tells."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """Name, meaning and labels of a figure that is read from the store."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


GAUGES = (
    Gauge("duecare_dirty_cases", "Cases that wait to be judged"),
    Gauge("duecare_dirty_oldest_seconds", "How long the case that waits longest has waited"),
    Gauge("duecare_quarantined_cases", "Cases set aside because judging them failed again and again; each needs a person"),
    Gauge("duecare_outbox_waiting", "Messages that wait to be passed on or sent"),
    Gauge("duecare_outbox_oldest_seconds", "How long the message that waits longest has waited"),
    Gauge("duecare_notices_waiting", "Messages that wait to be sent to a receiver", ("receiver",)),
    Gauge("duecare_notices_oldest_seconds", "How long the message that waits longest for a receiver has waited", ("receiver",)),
    Gauge("duecare_notices_dead", "Messages that a receiver has not taken and that were given up; each needs a person", ("receiver",)),
    Gauge("duecare_verdicts", "Current verdicts", ("policy", "rule", "verdict")),
    Gauge("duecare_breaches", "Breaches on record", ("condition", "severity")),
    Gauge("duecare_source_behind_seconds", "How far a source's word of completeness lies behind now", ("source",)),
    Gauge("duecare_source_rejects", "Records of a source that could not be taken in and wait for somebody", ("source",)),
    Gauge("duecare_source_failures", "Pulls of a source that have failed in a row", ("source",)),
    Gauge("duecare_source_good_pull_seconds", "How long ago the last good pull of a source was", ("source",)),
    Gauge("duecare_trouble", "What the process that answers calls degraded at /readyz: how many there are of each code", ("code",)),
)


class _FromStore(Collector):
    """Reads the gauges at scrape time.  A store that cannot be reached leaves them out rather than showing old figures."""

    def __init__(self, read: Callable[[], Standing]) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels or None) for gauge in GAUGES]

    def collect(self) -> Iterable[Metric]:
        try:
            standing = self._read()
        except Exception as error:  # noqa: BLE001 - the scrape must still answer with what this process knows
            _log.warning("standing_unreadable", exc_info=error)
            return []
        series: tuple[Mapping[tuple[str, ...], float], ...] = (
            {(): standing.dirty},
            {(): standing.dirty_oldest},
            {(): standing.quarantined},
            {(): standing.outbox},
            {(): standing.outbox_oldest},
            {(receiver,): count for receiver, count in standing.notices.items()},
            {(receiver,): age for receiver, age in standing.notices_oldest.items()},
            {(receiver,): count for receiver, count in standing.dead.items()},
            {key: value for key, value in standing.verdicts.items()},  # noqa: C416 - widens the key's type
            {key: value for key, value in standing.breaches.items()},  # noqa: C416
            {(source,): age for source, age in standing.sources.items()},
            {(source,): count for source, count in standing.rejects.items()},
            {(source,): count for source, count in standing.failures.items()},
            {(source,): age for source, age in standing.good_pulls.items()},
            {(code,): count for code, count in standing.troubles.items()},
        )
        families = []
        for gauge, values in zip(GAUGES, series, strict=True):
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in sorted(values.items()):
                family.add_metric(list(labels), value)
            families.append(family)
        return families


class Metrics:
    """One set of metrics for a process.  ``standing`` reads the store's figures; without it there are only the process's own."""

    def __init__(self, standing: Callable[[], Standing] | None = None) -> None:
        registry = self.registry = CollectorRegistry(auto_describe=True)
        self.events = Counter(
            "duecare_events", "Events received, by what became of them and by the way they came", ("result", "via"), registry=registry
        )
        self.dropped = Counter(
            "duecare_attributes_dropped", "Attributes left out at the door since the catalogue does not know them", registry=registry
        )
        self.evaluations = Counter(
            "duecare_evaluations",
            "Evaluations of cases: done, failed, lost (another worker took over), quarantined",
            ("result",),
            registry=registry,
        )
        self.seconds = Histogram(
            "duecare_evaluation_seconds",
            "Seconds to judge one case, without the database",
            buckets=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
            registry=registry,
        )
        self.transitions = Counter("duecare_breach_transitions", "Changes of breaches, by kind", ("kind",), registry=registry)
        self.disagreements = Counter(
            "duecare_decider_disagreements", "Obligations on which the two deciders differed; must stay 0", registry=registry
        )
        self.hints = Counter(
            "duecare_hints", "Hints to the workers, by result; a failed one is made good by the sweeper", ("result",), registry=registry
        )
        self.sweeps = Counter("duecare_sweeps", "Rounds of the sweeper", ("result",), registry=registry)
        self.swept = Counter("duecare_swept_cases", "Cases that the sweeper put forward, by why", ("why",), registry=registry)
        self.pulls = Counter(
            "duecare_pulls", "Pulls of client systems, by source and how they ended", ("source", "result"), registry=registry
        )
        self.pulled = Counter(
            "duecare_pulled",
            "What pulls read: records, those unchanged, those refused, and events by what became of them",
            ("source", "result"),
            registry=registry,
        )
        self.notices = Counter(
            "duecare_notices",
            "Tries to send a message to a receiver: taken, failed, dead (given up)",
            ("receiver", "result"),
            registry=registry,
        )
        self.access_lines = Counter(
            "duecare_access_lines", "Lines of the access log: written, failed; failed must stay 0", ("result",), registry=registry
        )
        self.memory = Own("duecare_process_memory_bytes", "Memory that the process holds that answers", registry=registry)
        self.memory.set_function(resident)
        for counter, results in (
            (self.evaluations, ("done", "failed", "lost", "quarantined")),
            (self.hints, ("sent", "failed")),
            (self.sweeps, ("done", "failed")),
            (self.access_lines, ("written", "failed")),
        ):
            for result in results:
                counter.labels(result)  # from 0 on, so that the first one is seen as an increase
        self._stored = CollectorRegistry()
        if standing is not None:
            self._stored.register(_FromStore(standing))

    def text(self) -> bytes:
        """Prometheus' text format: the process's own figures, and those of the store."""
        return generate_latest(self.registry) + generate_latest(self._stored)

    def serve(self, address: str, port: int) -> int | None:
        """Answer Prometheus on the first free port from ``port`` on, in a thread of its own; which one, or None where all are taken.

        Tells the process's own figures only: those of the store are the same everywhere, and each reading of them costs a look.
        """
        for one in range(port, min(port + PORTS, 65_536)):
            try:
                start_http_server(one, addr=address, registry=self.registry)
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
            else:
                return one
        return None


def resident() -> float:
    """Bytes of memory that this process holds; 0 where the system does not tell.

    Not the client library's own collector: it tells nothing where /proc shows processes only, as under the systemd units.
    """
    try:
        return float(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return 0.0


def documented() -> list[tuple[str, str]]:
    """Every metric's name and meaning, for the reference page."""
    own = [(metric.name + ("_total" if metric.type == "counter" else ""), metric.documentation) for metric in Metrics().registry.collect()]
    return sorted(own + [(gauge.name, gauge.help) for gauge in GAUGES])
