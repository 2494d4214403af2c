"""Files of weights: what is read, what is refused, and that nothing in them runs."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from model_builder.checkpoint import encode, fill, read_tensors
from model_builder.errors import BuildError
from model_server.engine.networks import build_network


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return build_network("digits-resnet", 10)


def save(path: Path, document: Any) -> Path:
    torch.save(document, path)
    return path


class Payload:
    """What a hostile file holds: unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("beside_weights", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_file_with_code_is_refused_and_the_code_does_not_run(
    tmp_path: Path, network: nn.Module, beside_weights: bool, zipped: bool
) -> None:
    payload: Any = Payload(tmp_path / "owned")
    document = {**network.state_dict(), "extra": payload} if beside_weights else payload
    torch.save(document, tmp_path / "hostile.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(BuildError, match=r"hostile\.pth: holds more than weights, .* nothing of it was run"):
        read_tensors(tmp_path / "hostile.pth")
    assert not (tmp_path / "owned").exists()
    torch.load(tmp_path / "hostile.pth", weights_only=False)  # the file would have done it
    assert (tmp_path / "owned").exists()


def test_a_whole_network_is_refused_with_what_would_do(tmp_path: Path, network: nn.Module) -> None:
    with pytest.raises(BuildError, match=r"torch\.save\(network\.state_dict\(\), FILE\)"):
        read_tensors(save(tmp_path / "whole.pth", network))


@pytest.mark.parametrize("name", ["none.pth", "none.safetensors"])
@pytest.mark.parametrize("content", [b"", b"weights", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_what_is_no_such_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BuildError, match=rf"--weights .*{name}: "):
        read_tensors(tmp_path / name)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="there is no such file"):
        read_tensors(tmp_path / "none.pth")


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_state_dict_is_found_where_training_scripts_put_it(
    tmp_path: Path, network: nn.Module, wrap: Any, prefix: str
) -> None:
    state = {prefix + name: tensor for name, tensor in network.state_dict().items()}
    tensors = read_tensors(save(tmp_path / "weights.pth", wrap(state)))
    assert tensors.keys() == network.state_dict().keys()
    assert encode(fill("digits-resnet", tensors, 32, "it")) == encode(network)


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ([1, 2], "it is a list"),
        ({}, "it is a dict"),
        ({"epoch": 3, "net": {"a": torch.zeros(1)}}, "it holds epoch, net"),
        ({1: torch.zeros(1)}, "it holds 1"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, document: Any, found: str) -> None:
    with pytest.raises(
        BuildError,
        match=f"not a state dict of named tensors, nor one under model_state_dict, state_dict or model: {found}",
    ):
        read_tensors(save(tmp_path / "weights.pth", document))


def test_wrong_names_and_shapes_are_named_in_one_sentence(network: nn.Module) -> None:
    state = network.state_dict()
    for name in [name for name in state if name.startswith("stages.0")]:
        del state[name]
    state["stem.0.weight"] = torch.zeros(16, 1, 3, 3)
    state["extra"] = torch.zeros(1)
    with pytest.raises(BuildError) as error:
        fill("digits-resnet", state, 32, "it")
    assert str(error.value) == (
        "it: not the weights of digits-resnet; missing: stages.0.conv1.weight, stages.0.bn1.weight, "
        "stages.0.bn1.bias and 7 more; not known there: extra; "
        "of another shape: stem.0.weight ([16, 1, 3, 3] where [16, 3, 3, 3] fits)"
    )


def test_weights_without_a_head_are_refused(network: nn.Module) -> None:
    state = network.state_dict()
    del state["head.weight"], state["head.bias"]
    with pytest.raises(BuildError, match=r"missing: head\.weight, head\.bias$"):
        fill("digits-resnet", state, 32, "it")


@pytest.mark.parametrize(
    "strange",
    [
        torch.zeros(64, dtype=torch.complex64),
        torch.zeros(64).to_sparse(),
        torch.zeros(64, device="meta"),
        torch.zeros(1).expand(64),
    ],
)
def test_what_is_not_plain_numbers_is_refused(network: nn.Module, strange: torch.Tensor) -> None:
    state = network.state_dict() | {"stages.2.bn1.weight": strange}
    with pytest.raises(BuildError, match=r"not of plain numbers: stages\.2\.bn1\.weight"):
        fill("digits-resnet", state, 32, "it")


def test_the_head_says_how_many_classes_there_are() -> None:
    for architecture in ("squeezenet1_1", "mobilenet_v3_small", "mnasnet0_5"):
        network = build_network(architecture, 7)
        assert encode(fill(architecture, network.state_dict(), 224, "it")) == encode(network)


def test_half_precision_is_widened(network: nn.Module) -> None:
    halves = {name: t.half() if t.is_floating_point() else t for name, t in network.state_dict().items()}
    filled = fill("digits-resnet", halves, 32, "it").state_dict()
    assert {t.dtype for t in filled.values()} == {torch.float32, torch.int64}
    assert torch.equal(filled["head.weight"], halves["head.weight"].float())


@pytest.mark.parametrize("architecture", ["googlenet", "inception_v3"])
def test_heads_that_only_training_uses_are_dropped(architecture: str) -> None:
    build = getattr(torchvision.models, architecture)
    trained = build(weights=None, num_classes=5, aux_logits=True, init_weights=False).state_dict()
    filled = fill(architecture, trained, 299, "it").state_dict()
    dropped = {name.partition(".")[0] for name in trained.keys() - filled.keys()}
    assert dropped == ({"aux1", "aux2"} if architecture == "googlenet" else {"AuxLogits"})


def test_the_names_of_old_files_are_known() -> None:
    network = build_network("densenet121", 5)
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2.") if "denselayer" in name else name: tensor
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    assert any("denselayer1.norm.1.weight" in name for name in old)
    assert encode(fill("densenet121", old, 224, "it")) == encode(network)


def test_a_vit_takes_pictures_of_the_size_that_it_was_trained_for() -> None:
    network = build_network("vit_b_32", 3, 64)
    old = {
        name.replace("mlp.0", "mlp.linear_1").replace("mlp.3", "mlp.linear_2"): t
        for name, t in network.state_dict().items()
    }
    assert encode(fill("vit_b_32", old, 64, "it")) == encode(network)
    with pytest.raises(
        BuildError, match=r"of another shape: encoder\.pos_embedding \(\[1, 5, 768\] where \[1, 50, 768\] fits"
    ):
        fill("vit_b_32", old, 224, "it")


def test_a_small_file_that_claims_a_billion_classes_takes_no_memory(network: nn.Module) -> None:
    classes = 10**12
    state = network.state_dict()
    state |= {"head.weight": torch.zeros(1, 64).expand(classes, 64), "head.bias": torch.zeros(1).expand(classes)}
    with pytest.raises(BuildError, match=r"not of plain numbers: head\.weight, head\.bias$"):
        fill("digits-resnet", state, 32, "it")


@pytest.mark.parametrize(
    ("strange", "problem"),
    [
        (torch.ones(64, dtype=torch.int8), "of whole numbers"),
        (torch.full((64,), float("nan")), "not finite"),
        (torch.full((64,), float("inf"), dtype=torch.float16), "not finite"),
    ],
)
def test_numbers_that_no_training_ends_with_are_refused(
    network: nn.Module, strange: torch.Tensor, problem: str
) -> None:
    state = network.state_dict() | {"stages.2.bn1.weight": strange}
    with pytest.raises(BuildError, match=rf"{problem}: stages\.2\.bn1\.weight$"):
        fill("digits-resnet", state, 32, "it")


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_nobody_is_told_to_let_a_file_run_its_code(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), tmp_path / "script.pth")
    with pytest.raises(BuildError, match="holds more than weights") as refusal:
        read_tensors(tmp_path / "script.pth")
    assert "weights_only" not in str(refusal.value)
