"""The alerts speak of metrics that there are, and each has its paragraph in the runbook."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from workers.metrics import READINGS

ROOT = Path(__file__).resolve().parents[2]
_WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")


def _alerts() -> list[Any]:
    [group] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    return list(group["rules"])


def _known() -> set[str]:
    counted = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    families = {family.name for family in REGISTRY.collect()}
    return counted | families | {reading.name for reading in READINGS}


@pytest.mark.parametrize("alert", _alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_speaks_of_metrics_that_there_are(alert: Any) -> None:
    named = set(_WORD.findall(alert["expr"]))

    assert named
    assert named <= _known()


@pytest.mark.parametrize("alert", _alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_leads_to_its_paragraph(alert: Any) -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)

    assert alert["alert"] in headings
    assert alert["annotations"]["runbook_url"] == f"docs/runbook.md#{alert['alert'].lower()}"
