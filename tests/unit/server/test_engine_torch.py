"""The torch engine, against the network that it runs."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from model_server.bundle import read_bundle
from model_server.engine import load_engine, runs_here
from model_server.engine.networks import build_network
from model_server.errors import BundleError
from model_server.imaging import Imaging
from model_server.manifest import BundleFile, Manifest, Variant

SIZE, CLASSES = 32, 10
DIGITS = Path(__file__).parents[3] / "models/digits"


def variant(precision: str, device: str = "cpu") -> Variant:
    file = BundleFile(path="float32/model.safetensors", sha256="0" * 64)
    return Variant(precision=precision, engine="torch", device=device, inputs="pixels", files=[file])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_bundle(DIGITS).manifest


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network("digits-resnet", CLASSES)


@pytest.fixture(scope="module")
def weights(network: torch.nn.Module) -> bytes:
    return safetensors.torch.save(network.state_dict())


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, SIZE, SIZE, 3), dtype=np.uint8)


def reference(network: torch.nn.Module, manifest: Manifest, rows: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(Imaging(manifest.preprocessing).normalise(rows))).numpy()


def test_float32_gives_what_the_network_gives(network, weights: bytes, manifest: Manifest, rows: np.ndarray) -> None:
    engine = load_engine(manifest, variant("float32"), [weights], 1)
    logits = engine.infer(rows)
    assert (logits.dtype, logits.shape) == (np.float32, (5, CLASSES))
    np.testing.assert_allclose(logits, reference(network, manifest, rows), atol=1e-5)
    np.testing.assert_allclose(engine.infer(rows[:1]), logits[:1], atol=1e-5)


@pytest.mark.parametrize(("precision", "off"), [("bfloat16", 0.1), ("float16", 0.01)])
def test_half_precision_is_near(network, weights, manifest, rows, precision: str, off: float) -> None:
    logits = load_engine(manifest, variant(precision), [weights], 1).infer(rows)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, reference(network, manifest, rows), atol=off)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize(("precision", "off"), [("float32", 0.01), ("bfloat16", 0.1), ("float16", 0.01)])
def test_on_a_gpu(network, weights, manifest, rows, precision: str, off: float) -> None:
    logits = load_engine(manifest, variant(precision, "cuda"), [weights], 1).infer(rows)
    np.testing.assert_allclose(logits, reference(network, manifest, rows), atol=off)


def test_weights_of_another_network_are_refused(manifest: Manifest) -> None:
    other = safetensors.torch.save(build_network("digits-resnet", 3).state_dict())
    with pytest.raises(BundleError, match=r"torch can't load float32/model\.safetensors: .*size mismatch"):
        load_engine(manifest, variant("float32"), [other], 1)


def test_what_is_no_safetensors_file_is_refused(manifest: Manifest) -> None:
    with pytest.raises(BundleError, match="torch can't load"):
        load_engine(manifest, variant("float32"), [b"PK\x03\x04"], 1)


def test_an_architecture_that_nobody_knows_is_refused(manifest: Manifest, weights: bytes) -> None:
    unknown = manifest.model_copy(update={"architecture": "resnet51"})
    with pytest.raises(BundleError, match="no architecture is called 'resnet51'"):
        load_engine(unknown, variant("float32"), [weights], 1)


def test_what_runs_here() -> None:
    assert runs_here(variant("float32"))
    assert runs_here(variant("float16", "cuda")) == torch.cuda.is_available()


@pytest.mark.parametrize("package", ["torch", "torchvision", "safetensors"])
def test_torch_alone_is_not_enough(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setattr("model_server.engine.find_spec", lambda name: None if name == package else object())
    assert not runs_here(variant("float32"))
    assert not runs_here(variant("float16", "cuda"))
