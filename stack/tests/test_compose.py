"""`docker-compose.yml` runs the same system as `make run`."""

import re
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from stack import jars
from stack.process import CHECKOUT


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    file: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    return file["services"]


def names_of_workers() -> set[str]:
    with pytest.raises(CommandError) as refused:
        call_command("run_worker")
    _, _, names = str(refused.value).partition("There are: ")
    return set(names.rstrip(".").split(", "))


def test_every_worker_has_a_service_of_its_name(services: dict[str, dict[str, Any]]) -> None:
    workers = {
        name
        for name, service in services.items()
        if service.get("command", [])[:4] == ["python", "manage.py", "run_worker", name]
    }

    assert workers == names_of_workers()


def test_everything_that_stays_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    silent = {name for name, service in services.items() if "healthcheck" not in service}

    assert silent == {"setup"}


def test_the_image_of_kafka_is_the_version_of_the_locked_jars(services: dict[str, dict[str, Any]]) -> None:
    brokers = {service["image"] for name, service in services.items() if re.fullmatch(r"kafka-\d", name)}

    assert brokers == {f"apache/kafka:{jars.kafka_version(jars=jars.read_lock())}"}


def test_nothing_of_ours_runs_as_root() -> None:
    users = re.findall(r"^USER (\S+)$", (CHECKOUT / "Dockerfile").read_text(), flags=re.MULTILINE)

    assert users == ["10001"]


def test_only_this_machine_reaches_the_ports(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
