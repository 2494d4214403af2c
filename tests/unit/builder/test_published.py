"""torchvision's weights, without any: their files are made here, and the place that they come from is a closed port."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from model_builder.checkpoint import encode
from model_builder.digits import PREPROCESSING as DIGITS_PREPROCESSING
from model_builder.errors import BuildError
from model_builder.pictures import draw_pictures
from model_builder.preprocessing import find_preprocessing, list_weights, translate
from model_builder.published import list_tags, load_published
from model_server.engine.networks import OWN, build_network, fill_network, list_architectures
from model_server.imaging import Imaging
from model_server.manifest import Preprocessing

DIGITS = Path(__file__).parents[3] / "models/digits"
NOWHERE = "http://127.0.0.1:9"
"""The port of the discard service, which nobody runs."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a hub that has nothing yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub/checkpoints"


def publish(monkeypatch: pytest.MonkeyPatch, weights: Any, content: bytes) -> str:
    """Let torchvision believe that these are its weights; return the file's name."""
    name = f"weights-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    monkeypatch.setattr(weights.value, "url", f"{NOWHERE}/{name}")
    return name


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    torch.manual_seed(0)
    path = tmp_path / "made.pth"
    torch.save(build_network("shufflenet_v2_x0_5", 1000).state_dict(), path)
    return path.read_bytes()


@pytest.mark.parametrize("tag", ["IMAGENET1K_V1", "DEFAULT", "ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1"])
def test_a_file_that_the_hub_has_is_used_with_all_that_torchvision_says(
    hub: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, tag: str
) -> None:
    weights = torchvision.models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1
    name = publish(monkeypatch, weights, content)
    hub.mkdir(parents=True)
    (hub / name).write_bytes(content)
    model = load_published("shufflenet_v2_x0_5", tag)
    torch.manual_seed(0)
    assert encode(model.network) == encode(build_network("shufflenet_v2_x0_5", 1000))
    assert (model.weights, model.trained_on.name, model.trained_on.images) == ("IMAGENET1K_V1", "ImageNet-1K", None)
    assert model.labels == weights.meta["categories"]
    assert model.labels_source == "torchvision ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1: categories"
    assert model.published is not None
    measured = weights.meta["_metrics"]["ImageNet-1K"]
    assert (model.published.top_1 * 100, model.published.top_5 * 100) == pytest.approx(tuple(measured.values()))


def test_a_file_that_is_not_what_its_name_says_is_refused(
    hub: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    name = publish(monkeypatch, torchvision.models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1, content)
    hub.mkdir(parents=True)
    (hub / name).write_bytes(content + b"\0")
    with pytest.raises(BuildError, match=rf"{name}: its sha256 begins with [0-9a-f]{{8}}, not with {name[8:16]}"):
        load_published("shufflenet_v2_x0_5", "DEFAULT")


def test_a_hub_that_is_out_of_reach_says_which_file_to_put_where(
    hub: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = publish(monkeypatch, torchvision.models.ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1, b"")
    with pytest.raises(BuildError) as error:
        load_published("shufflenet_v2_x0_5", "IMAGENET1K_V1")
    message = str(error.value)
    for part in (
        f"--weights IMAGENET1K_V1: {NOWHERE}/{name} can't be had",
        f"its sha256 begins with {name[8:16]}",
        f"put it at {hub / name}",
        "TORCH_HOME",
        f"export shufflenet_v2_x0_5 --weights {name} --labels FILE",
    ):
        assert part in message
    assert "\n" not in message
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("architecture", "tag", "answer"),
    [
        ("resnet50", "IMAGENET1K_V3", "its tags are IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT;"),
        ("resnet50", "ResNet18_Weights.IMAGENET1K_V1", "its tags are IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT;"),
        ("vgg16", "IMAGENET1K_FEATURES", "its tags are IMAGENET1K_V1, DEFAULT;"),
        ("digits-resnet", "DEFAULT", "it has none;"),
    ],
)
def test_an_unknown_tag_gets_those_that_there_are(architecture: str, tag: str, answer: str) -> None:
    with pytest.raises(
        BuildError, match=f"--weights {tag}: torchvision has no such weights of {architecture}; {answer}"
    ):
        load_published(architecture, tag)


def test_every_tag_has_labels_an_accuracy_and_a_preprocessing_that_a_bundle_can_hold() -> None:
    for architecture in set(list_architectures()) - set(OWN):
        assert list_tags(architecture)
        for tag in list_tags(architecture):
            weights = list_weights(architecture)[tag]
            assert len(weights.meta["categories"]) == 1000
            assert set(weights.meta["_metrics"]) == {"ImageNet-1K"}
            transforms = weights.transforms()
            preprocessing = translate(weights)
            assert ([preprocessing.crop], [preprocessing.resize]) == (transforms.crop_size, transforms.resize_size)
            assert preprocessing.interpolation == transforms.interpolation.value


@pytest.mark.parametrize("architecture", ["googlenet", "inception_v3"])
def test_what_a_pretrained_googlenet_does_to_its_input_is_part_of_the_preprocessing(architecture: str) -> None:
    pictures = draw_pictures(2, 96, seed=0)
    weights = list_weights(architecture)["DEFAULT"]
    build = getattr(torchvision.models, architecture)
    theirs = build(weights=None, num_classes=5, aux_logits=False, init_weights=False, transform_input=True).eval()
    ours = build_network(architecture, 5)
    fill_network(ours, theirs.state_dict())
    normalisation = weights.transforms()
    imagenet = Preprocessing(resize=96, crop=96, mean=list(normalisation.mean), std=list(normalisation.std))
    with torch.inference_mode():
        expected = theirs(torch.from_numpy(Imaging(imagenet).normalise(pictures)))
        found = ours(torch.from_numpy(Imaging(translate(weights)).normalise(pictures)))
        unlike = ours(torch.from_numpy(Imaging(imagenet).normalise(pictures)))
    off = (expected - found).abs().max()
    assert off < 0.01 * (expected - unlike).abs().max()


@pytest.mark.parametrize(
    ("architecture", "source", "expected"),
    [
        ("resnet50", None, (232, 224)),
        ("resnet50", "IMAGENET1K_V1", (256, 224)),
        ("resnet50", "Inception_V3_Weights.DEFAULT", (342, 299)),
        ("digits-resnet", "ResNet18_Weights.IMAGENET1K_V1", (256, 224)),
        ("resnet50", str(DIGITS), (32, 32)),
    ],
)
def test_preprocessing_is_that_of_weights_or_of_a_bundle(
    architecture: str, source: str | None, expected: tuple[int, int]
) -> None:
    found = find_preprocessing(architecture, source)
    assert (found.resize, found.crop) == expected


def test_our_own_network_has_its_own_preprocessing() -> None:
    assert find_preprocessing("digits-resnet", None) == DIGITS_PREPROCESSING


@pytest.mark.parametrize("source", ["IMAGENET1K_V3", "models", "ResNet50_Weights.V9", "FCN_ResNet50_Weights.DEFAULT"])
def test_preprocessing_of_nothing_is_refused(source: str) -> None:
    with pytest.raises(BuildError, match=f"--preprocessing-of {source}: neither torchvision's weights nor a bundle's"):
        find_preprocessing("resnet50", source)
