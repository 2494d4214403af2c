"""What helm says when it has installed."""

import json
import subprocess

from rendering import BAKED, CHART, HELM, NAMESPACE, Values


def notes(**values: object) -> str:
    """Return what ``helm install`` would print at its end; it asks no cluster."""
    assert HELM
    command = [HELM, "install", "vision", str(CHART), "--dry-run=client", "--namespace", NAMESPACE, "--values", "-"]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("NOTES:")[2]


MODELS: Values = {"cats": BAKED, "ants": {**BAKED, "replicas": 0}}


def test_they_give_the_curl_for_the_first_model_that_has_pods() -> None:
    said = notes(models=MODELS, routes={"host": "a.example.com"})
    assert "curl --data-binary @cat.jpg http://a.example.com/model/cats/predict" in said
    assert "rollout status deployment/cats-predictor" in said
    assert "helm test vision --namespace shop" in said


def test_they_give_the_pages_address_first() -> None:
    said = notes(models=MODELS, routes={"host": "a.example.com"})
    assert "http://a.example.com/\n" in said.partition("2 model(s)")[0]
    assert "http://ADDRESS/\n" in notes()


def test_without_the_page_they_do_not_speak_of_it() -> None:
    said = notes(models=MODELS, routes={"host": "a.example.com"}, frontend={"enabled": False})
    assert said.strip().startswith("2 model(s)")
    assert "a.example.com must lead there" in said


def test_models_without_routes_are_reached_by_way_of_the_frontend() -> None:
    said = notes(models=MODELS, routes={"public": False, "grpc": {"host": "MODEL.a"}})
    assert "http://ADDRESS/model/cats/predict" in said
    assert "by way of the frontend" in said
    assert "gRPC" not in said


def test_they_know_a_certificate() -> None:
    assert "https://a.example.com/" in notes(
        models=MODELS, routes={"host": "a.example.com", "tls": {"secretName": "cert"}}
    )


def test_without_a_host_the_address_is_to_be_filled_in() -> None:
    assert "http://ADDRESS/model/cats/predict" in notes(models=MODELS)


def test_models_that_are_not_public_are_reached_through_a_port_forward() -> None:
    said = notes(models=MODELS, routes={"public": False}, frontend={"enabled": False})
    assert "port-forward service/cats-predictor 8080:80" in said
    assert "http://127.0.0.1:8080/model/cats/predict" in said


def test_they_name_the_host_for_grpc() -> None:
    assert "gRPC: cats.example.com" in notes(models=MODELS, routes={"grpc": {"host": "MODEL.example.com"}})


def test_without_models_they_say_how_to_add_one() -> None:
    assert "add one under `models:`" in notes()
