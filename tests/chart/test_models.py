"""What a model of the map becomes."""

import shutil
from pathlib import Path

import pytest
import yaml
from rendering import BAKED, CHART, container, of, one, predictor, render, render_model, template

from model_server.settings import parse_settings


def test_nothing_is_made_of_no_model() -> None:
    kinds = {each["kind"] for each in render(values={"frontend": {"enabled": False}})}
    assert kinds == {"ConfigMap", "ServiceAccount"}


def test_each_model_becomes_an_inference_service_of_its_name() -> None:
    assert set(of("InferenceService", render(values={"models": {"cats": BAKED, "dogs": BAKED}}))) == {"cats", "dogs"}


def test_a_model_that_is_not_enabled_leaves_nothing() -> None:
    assert "cats" not in str(render_model({"enabled": False}))


def test_the_container_is_called_what_kserve_asks_for() -> None:
    assert container(render_model({}))["name"] == "kserve-container"


def test_the_server_gets_the_models_name() -> None:
    assert "--model=cats=/mnt/models" in container(render_model({}))["args"]


def test_a_default_is_every_models() -> None:
    documents = render(values={"defaults": {**BAKED, "replicas": 4}, "models": {"cats": {}, "dogs": {"replicas": 0}}})
    services = of("InferenceService", documents)
    assert services["cats"]["spec"]["predictor"]["minReplicas"] == 4
    assert services["dogs"]["spec"]["predictor"]["minReplicas"] == 0


def test_false_and_0_of_a_model_win_over_the_default() -> None:
    said = {"server": {"accessLog": False, "drainDelaySeconds": 0}, "podDisruptionBudget": {"enabled": False}}
    documents = render_model(said)
    assert "--no-access-log" in container(documents)["args"]
    assert "--drain-delay-seconds=0" in container(documents)["args"]
    assert of("PodDisruptionBudget", documents) == {}


def test_what_a_model_leaves_out_of_a_map_stays_the_default() -> None:
    resources = container(render_model({"resources": {"requests": {"cpu": "1"}}}))["resources"]
    assert resources["requests"] == {"cpu": "1", "memory": "512Mi"}


@pytest.mark.parametrize(
    ("wanted", "limit"), [("1000m", "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1Gi", "1.1G"), (1073741824, "1Gi")]
)
def test_a_request_may_be_as_much_as_the_limit(wanted: object, limit: object) -> None:
    assert said_to("ephemeral-storage", wanted, limit) == ""


@pytest.mark.parametrize(
    ("wanted", "limit"), [("1001m", "1"), ("1", "500m"), ("1025Mi", "1Gi"), ("1.1Gi", "1.1G"), ("2G", "1Gi")]
)
def test_but_not_more(wanted: object, limit: object) -> None:
    said = said_to("ephemeral-storage", wanted, limit)
    assert f"models.cats.resources.requests.ephemeral-storage: {wanted} is more than limits.ephemeral-storage" in said


def said_to(name: str, wanted: object, limit: object) -> str:
    resources = {"requests": {name: wanted}, "limits": {name: limit}}
    return template(values={"models": {"cats": {**BAKED, "resources": resources}}}).stderr


def test_amounts_are_strings_for_a_crd_takes_no_fraction() -> None:
    said = {"requests": {"cpu": 0.5}, "limits": {"cpu": 2, "memory": 1073741824}}
    resources = container(render_model({"resources": said}))["resources"]
    assert resources["requests"]["cpu"] == "0.5"
    assert resources["limits"] == {"cpu": "2", "memory": "1073741824"}


def test_large_numbers_stay_whole() -> None:
    assert "--max-body-bytes=33554432" in container(render_model({}))["args"]


@pytest.mark.parametrize(
    ("said", "image"),
    [
        ({}, "kserve-vision/server:0.1.0"),
        ({"tag": "dev"}, "kserve-vision/server:dev"),
        ({"repository": "host:5000/a/b", "tag": "1"}, "host:5000/a/b:1"),
        ({"registry": "host:5000/a", "tag": "1"}, "host:5000/a/kserve-vision/server:1"),
        ({"tag": "1", "digest": f"sha256:{'a' * 64}"}, f"kserve-vision/server@sha256:{'a' * 64}"),
    ],
)
def test_an_image_by_tag_or_digest(said: dict[str, str], image: str) -> None:
    assert container(render_model({"image": said}))["image"] == image


def test_pull_secrets_reach_the_pod() -> None:
    assert predictor(render_model({"image": {"pullSecrets": ["mine"]}}))["imagePullSecrets"] == [{"name": "mine"}]


def test_a_download_is_left_to_the_storage_initializer() -> None:
    documents = render_model({"bundle": {"storageUri": "s3://models/cats"}})
    assert {"name": "STORAGE_URI", "value": "s3://models/cats"} in container(documents)["env"]
    assert "env" not in container(render_model({}))


def test_the_variant_is_the_servers_choice_unless_it_is_said() -> None:
    assert "--precision=auto" in container(render_model({}))["args"]
    arguments = container(render_model({"variant": {"precision": "int8", "engine": "openvino"}}))["args"]
    assert {"--precision=int8", "--engine=openvino"} <= set(arguments)


def test_options_and_environment_of_ones_own_come_last() -> None:
    said = {"server": {"args": ["--threads=4"]}, "env": [{"name": "A", "value": "b"}]}
    found = container(render_model(said))
    assert found["args"][-1] == "--threads=4"
    assert found["env"] == [{"name": "A", "value": "b"}]


def test_every_option_is_one_of_the_server() -> None:
    """It would refuse another, or a value that is none, and end."""
    said = {"server": {"timeoutSeconds": 2.5, "drainDelaySeconds": 0, "maxBodyBytes": 10_000_000, "accessLog": False}}
    settings = parse_settings(container(render_model(said))["args"])
    assert settings.named_models == (("cats", Path("/mnt/models")),)
    assert (settings.timeout_seconds, settings.drain_delay_seconds, settings.max_body_bytes) == (2.5, 0, 10_000_000)
    assert settings.access_log is False


def test_what_is_not_said_is_the_servers_own_default() -> None:
    arguments = container(render_model({}))["args"]
    assert parse_settings(arguments) == parse_settings(["--model=cats=/mnt/models", "--device=cpu"])


def test_labels_and_annotations_are_the_same_in_another_version_of_the_chart(tmp_path) -> None:
    """KServe copies both to the pods: one that changed would restart every model."""
    other = tmp_path / "vision-models"
    shutil.copytree(CHART, other)
    chart = yaml.safe_load((other / "Chart.yaml").read_text())
    (other / "Chart.yaml").write_text(yaml.safe_dump({**chart, "version": "9.9.9"}))
    values = {"models": {"cats": BAKED}}
    assert render(values=values, chart=other) == render(values=values)


def test_a_changed_model_touches_only_its_own_objects() -> None:
    before = render(values={"models": {"cats": BAKED, "dogs": BAKED}})
    after = render(values={"models": {"cats": BAKED, "dogs": {**BAKED, "variant": {"precision": "int8"}}}})
    changed = {(new["kind"], new["metadata"]["name"]) for old, new in zip(before, after, strict=True) if old != new}
    assert changed == {("InferenceService", "dogs")}


def test_a_new_model_touches_no_other() -> None:
    before = render(values={"models": {"cats": BAKED}})
    after = render(values={"models": {"cats": BAKED, "dogs": BAKED}})
    for old in before:
        new = next(x for x in after if (x["kind"], x["metadata"]["name"]) == (old["kind"], old["metadata"]["name"]))
        assert new == old or old["metadata"]["name"] in ("vision-catalogue", "vision-test")


def test_the_catalogue_has_every_model_and_where_it_is() -> None:
    catalogue = yaml.safe_load(of("ConfigMap", render_model({}))["vision-catalogue"]["data"]["models.json"])
    assert catalogue == {"models": [{"id": "cats", "url": "http://cats-predictor.shop.svc"}]}


def test_the_account_has_no_token_and_the_pods_do_not_mount_one() -> None:
    documents = render_model({})
    assert one("ServiceAccount", documents)["automountServiceAccountToken"] is False
    assert predictor(documents)["serviceAccountName"] == one("ServiceAccount", documents)["metadata"]["name"]


def test_an_account_of_ones_own_is_used_and_not_made() -> None:
    documents = render_model({}, serviceAccount={"create": False, "name": "ours"})
    assert predictor(documents)["serviceAccountName"] == "ours"
    assert of("ServiceAccount", documents) == {}


def test_secrets_for_downloads_hang_on_the_account() -> None:
    documents = render_model({}, serviceAccount={"secrets": ["s3"]})
    assert one("ServiceAccount", documents)["secrets"] == [{"name": "s3"}]


def test_standard_mode_is_said_outright() -> None:
    annotations = one("InferenceService", render_model({}))["metadata"]["annotations"]
    assert annotations["serving.kserve.io/deploymentMode"] == "Standard"
