"""Apache Kafka in KRaft mode: one broker or several, each of them also a controller."""

import base64
import contextlib
import logging
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from stack import StackError, jars, ports
from stack.java import find_java
from stack.process import Process, ProcessFailed, stop_all
from stack.state import StateFolder

PARTITIONS_OF_INTERNAL_TOPICS = 8


class WrongNumberOfBrokers(StackError):
    """The state folder holds a cluster of another size."""


class Broker(Process):
    """One node of the cluster."""

    is_server = True

    def __init__(self, *, number: int, voters: Sequence[int], state: StateFolder) -> None:
        self.number = number
        self.folder = state.path / f"kafka-{number}"
        self.port = state.port(name=f"kafka-{number}")
        self._voters = voters
        self._properties = self.folder / "server.properties"
        super().__init__(name=f"kafka-{number}", command=[], state=state)

    def prepare(self, *, classpath: str) -> None:
        """Write the broker's settings, and format its folder unless that is done."""
        java = [str(find_java()), *_java_options(brokers=len(self._voters)), "-cp", classpath]
        self.command = [*java, "kafka.Kafka", str(self._properties)]
        self.folder.mkdir(exist_ok=True)
        lines = (f"{name}={value}\n" for name, value in self._settings().items())
        self._properties.write_text("".join(lines))
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(java=java)

    def is_ready(self) -> bool:
        """Whether the broker takes connections."""
        return ports.accepts(port=self.port)

    def _format(self, *, java: Sequence[str]) -> None:
        cluster = _cluster_id(name=self._state.secret(name="secret-key"))
        # One word: an id may begin with a dash, which as a word of its own would pass for another option.
        options = [f"--cluster-id={cluster}", "--config", str(self._properties), "--ignore-formatted"]
        command = [*java, "kafka.tools.StorageTool", "format", *options]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise ProcessFailed(
                f"Kafka could not format {self.folder}: {(made.stderr or made.stdout).strip()}"
            )

    def _settings(self) -> dict[str, object]:
        nodes = len(self._voters)
        controller = self._voters[self.number - 1]
        copies = min(3, nodes)
        in_sync = 2 if copies == 3 else 1
        return {
            "process.roles": "broker,controller",
            "node.id": self.number,
            "controller.quorum.voters": ",".join(
                f"{number}@127.0.0.1:{port}" for number, port in enumerate(self._voters, start=1)
            ),
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "num.partitions": 3,
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "offsets.topic.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.num.partitions": PARTITIONS_OF_INTERNAL_TOPICS,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": in_sync,
            # Small machine: the default sets 128 MB of the heap aside for compaction.
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
            "log.segment.bytes": 128 * 1024 * 1024,
            "num.network.threads": 2,
            "num.io.threads": 4,
        }


class Cluster:
    """All brokers of a stack."""

    def __init__(self, *, brokers: int | None, state: StateFolder) -> None:
        brokers = _size(wanted=brokers, state=state)
        numbers = range(1, brokers + 1)
        voters = [state.port(name=f"kafka-controller-{number}") for number in numbers]
        self.brokers = [Broker(number=number, voters=voters, state=state) for number in numbers]

    @property
    def bootstrap_servers(self) -> str:
        """The addresses of all brokers, for `KAFKA_BOOTSTRAP_SERVERS`."""
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    def prepare(self, *, report: Callable[[str], None]) -> None:
        """Get what the brokers need to start: the jars, and formatted folders."""
        paths = jars.ensure_jars(jars=jars.read_lock(), folder=jars.cache_folder(), report=report)
        classpath = ":".join(map(str, paths))
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda broker: broker.prepare(classpath=classpath), self.brokers))

    def start(self) -> None:
        """Start every broker; returns before they are ready."""
        for broker in self.brokers:
            broker.start()

    def wait_until_ready(self, *, seconds: float) -> None:
        """Return when all brokers have joined the cluster; raise `ProcessFailed` when they do not."""
        until = time.monotonic() + seconds
        for broker in self.brokers:
            broker.wait_until_ready(seconds=until - time.monotonic())
        while count_brokers(bootstrap_servers=self.bootstrap_servers) < len(self.brokers):
            if time.monotonic() > until:
                raise ProcessFailed(
                    f"Kafka was not ready after {seconds:.0f} s; its log is {self.brokers[0].log}"
                )
            time.sleep(0.1)

    def stop(self, *, seconds: float) -> None:
        """Stop every broker in order; what is left after `seconds` is killed."""
        stop_all(processes=self.brokers, seconds=seconds)

    def kill(self) -> None:
        """End every broker as a crash would."""
        for broker in self.brokers:
            broker.kill()


def count_brokers(*, bootstrap_servers: str) -> int:
    """Return how many brokers the cluster says it has; 0 when it does not answer."""
    with contextlib.suppress(KafkaError, OSError), _quiet():
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap_servers.split(","), request_timeout_ms=5000, bootstrap_timeout_ms=3000
        )
        try:
            return len(admin.describe_cluster()["brokers"])
        finally:
            admin.close()
    return 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the client's complaints about a broker that is just starting out of the terminal."""
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _size(*, wanted: int | None, state: StateFolder) -> int:
    """Return how many brokers to start: as many as the folder has, where it has some."""
    kept = len(list(state.path.glob("kafka-[0-9]*")))
    if kept and wanted and wanted != kept:
        raise WrongNumberOfBrokers(
            f"{state.path} holds a cluster of {kept}. For {wanted}, take another folder: "
            f"STACK_DIR=.stack-{wanted} BROKERS={wanted} make run"
        )
    return wanted or kept or 1


def _java_options(*, brokers: int) -> list[str]:
    return [
        "-Xmx512m" if brokers == 1 else "-Xmx384m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ssZ",
    ]


def _cluster_id(*, name: str) -> str:
    identifier = uuid.uuid5(uuid.NAMESPACE_OID, name)
    return base64.urlsafe_b64encode(identifier.bytes).decode().rstrip("=")
