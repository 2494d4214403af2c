"""What is made of the chart and kept in the repository is what would be made of it now."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from rendering import CHART, HELM, ROOT

README = CHART / "README.md"
HELM_DOCS = shutil.which("helm-docs") or shutil.which("helm-docs", path=str(ROOT / ".tools" / "bin"))


def output(*command: str | None) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


@pytest.mark.skipif(HELM_DOCS is None, reason="no helm-docs: `make .tools/bin/helm-docs` builds it, with Go")
def test_the_readme_is_made_of_the_comments_in_the_values() -> None:
    said = output(HELM_DOCS, "--dry-run", "--chart-search-root", str(CHART), "--sort-values-order", "file")
    assert README.read_text().strip() == said.strip(), "make chart-docs"


def test_the_manifests_are_what_the_chart_makes_for_kind() -> None:
    values = CHART / "environments" / "kind.yaml"
    said = output(
        HELM, "template", "vision", str(CHART), "--namespace", "vision", "--no-hooks", "--values", str(values)
    )
    kept = (ROOT / "manifests" / "kind.yaml").read_text()
    assert list(yaml.safe_load_all(kept)) == list(yaml.safe_load_all(said)), "make manifests"


def leaves(values: object, path: str = "") -> Iterator[str]:
    """Yield the path of every value that holds no other."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, f"{path}.{key}".lstrip("."))
    else:
        yield path


def test_every_value_has_a_row_that_says_what_it_is() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| .+ \| (.*) \|$", README.read_text(), re.MULTILINE))
    assert all(rows.values())
    for path in leaves(yaml.safe_load((CHART / "values.yaml").read_text())):
        assert any(path == row or path.startswith(f"{row}.") for row in rows), path


def test_every_key_that_the_schema_knows_has_a_default() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    known = schema["properties"]["defaults"]["required"]
    assert known == list(schema["$defs"]["model"]["properties"])
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert missing(schema["$defs"]["model"], values["defaults"]) == []
    for name in schema["required"]:
        if name not in ("models", "defaults"):
            assert missing(schema["properties"][name], values[name], name) == []


def missing(schema: dict[str, Any], values: object, path: str = "") -> list[str]:
    """Return the keys that have no value, but in maps that are empty by default."""
    if not isinstance(values, dict) or not values or "properties" not in schema:
        return []
    found = [f"{path}.{key}" for key in schema["properties"] if key not in values]
    for key in schema["properties"].keys() & values.keys():
        found += missing(schema["properties"][key], values[key], f"{path}.{key}")
    return found
