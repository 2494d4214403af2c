import json
from typing import Any

import pytest
import yaml

from scripts.platform_settings import PLATFORM, find_wrong


def settings() -> dict[str, Any]:
    return dict(yaml.safe_load((PLATFORM / "kserve-config.yaml").read_text()))


def test_the_projects_own_are_right() -> None:
    assert find_wrong(settings()) is None


def test_the_charts_lists_with_a_comma_at_their_end_are_read() -> None:
    config = settings()
    config["data"]["ingress"] = config["data"]["ingress"].replace("true\n", "true,\n")
    assert find_wrong(config) is None


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [("deploy", "defaultDeploymentMode", "Knative"), ("ingress", "disableIngressCreation", False)],
)
def test_another_setting_is_named(section: str, name: str, value: object) -> None:
    config = settings()
    config["data"][section] = json.dumps({**json.loads(config["data"][section]), name: value})
    assert f"{section}.{name} {json.dumps(value)}" in (find_wrong(config) or "")


def test_no_kserve_is_told() -> None:
    assert find_wrong(None) == "not been made"
