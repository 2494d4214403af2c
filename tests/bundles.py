"""Small real bundles for tests: a network that names an image's strongest colour, no training needed."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from PIL import Image

from model_server.telemetry import disable_telemetry

disable_telemetry()

import openvino  # noqa: E402
from openvino import opset13  # noqa: E402

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
SIZE = 16
GAIN = 4.0
"""The logit of a channel that is full everywhere."""


def write_colour_bundle(folder: Path, name: str = "colours", **changes: Any) -> Path:
    """Write a bundle whose logits are ``GAIN`` times the mean of each channel, 0 to 1.

    Its int8 variant is int8 by name only: the same sum, on OpenVINO, from uint8 pixels.
    """
    (folder / "samples").mkdir(parents=True)
    _write_onnx(folder / "model.onnx")
    _write_ir(folder / "model.xml")
    for label, colour in COLOURS.items():
        Image.new("RGB", (20, 20), colour).save(folder / f"samples/{label}-0.png")
    manifest = {
        "format": 1,
        "name": name,
        "architecture": "mean-colour",
        "weights": "none",
        "trained_on": None,
        "made_by": "tests/bundles.py",
        "preprocessing": {"resize": SIZE, "crop": SIZE, "mean": [0.0] * 3, "std": [1.0] * 3},
        "labels": list(COLOURS),
        "labels_source": "tests/bundles.py",
        "samples": [{**entry(folder, f"samples/{label}-0.png"), "label": label} for label in COLOURS],
        "variants": [
            {
                "precision": "int8",
                "engine": "openvino",
                "device": "cpu",
                "inputs": "pixels",
                "files": [entry(folder, "model.xml"), entry(folder, "model.bin")],
            },
            {
                "precision": "float32",
                "engine": "onnxruntime",
                "device": "cpu",
                "inputs": "tensor",
                "files": [entry(folder, "model.onnx")],
            },
        ],
        **changes,
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False))
    return folder


QUADRANTS = ("top-left", "top-right", "bottom-left", "bottom-right")


def write_quadrant_bundle(folder: Path) -> Path:
    """Write a bundle that knows up from down: its logits are ``GAIN`` times the mean of each quarter, 0 to 1."""
    folder.mkdir(parents=True)
    half = SIZE // 2
    pixels = opset13.parameter([-1, SIZE, SIZE, 3], np.uint8, name="pixels")
    blocks = opset13.reshape(
        opset13.convert(pixels, np.float32), np.array([0, 2, half, 2, half * 3]), special_zero=True
    )
    mean = opset13.reshape(opset13.reduce_mean(blocks, np.array([2, 4])), np.array([0, 4]), special_zero=True)
    logits = opset13.multiply(mean, np.float32(GAIN / 255))
    openvino.save_model(
        openvino.Model([logits], [pixels], "quadrants"), folder / "quadrants.xml", compress_to_fp16=False
    )
    variant = {
        "precision": "int8",
        "engine": "openvino",
        "device": "cpu",
        "inputs": "pixels",
        "files": [entry(folder, "quadrants.xml"), entry(folder, "quadrants.bin")],
    }
    return write_colour_bundle(folder, "quadrants", labels=list(QUADRANTS), samples=[], variants=[variant])


def entry(folder: Path, path: str) -> dict[str, str]:
    """Return a file's entry in the manifest."""
    return {"path": path, "sha256": hashlib.sha256((folder / path).read_bytes()).hexdigest()}


def _write_onnx(path: Path) -> None:
    helper = onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["tensor", "axes"], ["mean"], keepdims=0),
            helper.make_node("Mul", ["mean", "gain"], ["logits"]),
        ],
        "mean-colour",
        [helper.make_tensor_value_info("tensor", onnx.TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 3])],
        [
            helper.make_tensor("axes", onnx.TensorProto.INT64, [2], [2, 3]),
            helper.make_tensor("gain", onnx.TensorProto.FLOAT, [], [GAIN]),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def _write_ir(path: Path) -> None:
    pixels = opset13.parameter([-1, SIZE, SIZE, 3], np.uint8, name="pixels")
    mean = opset13.reduce_mean(opset13.convert(pixels, np.float32), np.array([1, 2]), keep_dims=False)
    logits = opset13.multiply(mean, np.float32(GAIN / 255))
    openvino.save_model(openvino.Model([logits], [pixels], "mean-colour"), path, compress_to_fp16=False)
