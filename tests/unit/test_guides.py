"""The guides for those who run it: links lead somewhere, figures are the chart's own, metrics exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = [DOCS / f"{name}.md" for name in ("architecture", "operations", "production")]
PRODUCTION = (DOCS / "production.md").read_text()
ALERTS = yaml.safe_load((ROOT / "manifests" / "platform" / "alerts.yaml").read_text())
RULES = [rule for group in ALERTS["spec"]["groups"] for rule in group["rules"]]
VALUES = yaml.safe_load((ROOT / "charts" / "vision-models" / "values.yaml").read_text())
CODE = "".join(path.read_text() for path in (ROOT / "model_server").glob("*.py"))
SERIES = re.compile(r"\b(vision_[a-z_]+?)(?:_bucket|_sum|_count)?\b(?=[{\[),` ]|$)", re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def value(path: str) -> Any:
    """Return a value of the chart; a model's are those of ``defaults``."""
    found: Any = VALUES if path.partition(".")[0] in ("frontend", "routes", "podMonitor") else VALUES["defaults"]
    for key in path.split("."):
        found = found[key]
    return found


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(guide: Path) -> None:
    links = re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", guide.read_text())
    assert links
    for path, anchor in links:
        target = (guide.parent / path).resolve() if path else guide
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_script_that_is_named_is_there(guide: Path) -> None:
    for name in re.findall(r"`(scripts/[a-z-]+)", guide.read_text()):
        assert (ROOT / name).exists(), name


def test_the_limits_are_the_defaults_of_the_chart() -> None:
    rows = re.findall(r"^\| [^|]+ \| `([\w.]+)` \| (\d+) \|", PRODUCTION, re.MULTILINE)
    assert len(rows) > 8
    for path, default in rows:
        assert value(path) == int(default), path


def test_the_drain_adds_up_to_what_the_chart_grants() -> None:
    rows = dict(re.findall(r"^\| .*?`(\w+)` \| (\d+ \| \d+) \|", PRODUCTION, re.MULTILINE))
    model, frontend = (
        [int(rows[name].split(" | ")[column]) for name in ("drainDelaySeconds", "bodyTimeoutSeconds", "timeoutSeconds")]
        for column in (0, 1)
    )
    for server, numbers in ((VALUES["defaults"]["server"], model), (VALUES["frontend"]["server"], frontend)):
        assert numbers == [server[key] for key in ("drainDelaySeconds", "bodyTimeoutSeconds", "timeoutSeconds")]
    # the fourth row has no option of its own: templates/_helpers.tpl adds it
    assert rows["terminationGracePeriodSeconds"] == f"{sum(model) + 5} | {sum(frontend) + 5}"


@pytest.mark.parametrize(
    "text", [*(path.read_text() for path in GUIDES), *(rule["expr"] for rule in RULES)], ids=lambda text: text[:40]
)
def test_every_metric_that_is_named_exists(text: str) -> None:
    for name in set(SERIES.findall(text)):
        assert f'"{name}"' in CODE, name


def test_an_outcome_that_is_asked_for_is_one_that_is_counted() -> None:
    told = (DOCS / "metrics.md").read_text()
    asked = [each for rule in RULES for each in re.findall(r'outcome=~?"([^"]+)"', rule["expr"])]
    assert asked
    for outcome in (name for each in asked for name in each.split("|")):
        assert f"`{outcome}`" in told, outcome


def test_every_alert_says_how_bad_it_is_and_has_a_row() -> None:
    assert {rule["alert"] for rule in RULES} == set(re.findall(r"`(Vision[A-Z]\w+)`", PRODUCTION))
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}
