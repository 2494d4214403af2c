"""What ``model.yaml`` may say of a bundle; docs/bundle.md explains each field."""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from model_server.errors import BundleError

MANIFEST = "model.yaml"
NAME_PATTERN = r"^[a-z]([-a-z0-9]{0,46}[a-z0-9])?$"
"""KServe's own rule for the name of an InferenceService, 48 characters at most."""

ENGINE_SUFFIXES = {"openvino": (".xml", ".bin"), "onnxruntime": (".onnx",), "torch": (".safetensors",)}

Precision = Literal["int8", "float32", "float16", "bfloat16"]
Device = Literal["cpu", "cuda"]
EngineName = Literal["openvino", "onnxruntime", "torch"]
InputName = Literal["pixels", "tensor"]


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or "\\" in path or ".." in parts:
        raise ValueError(f"{path!r} is not a path inside the bundle; give one relative to {MANIFEST}, without '..'")
    return path


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class BundleFile(_Entry):
    """A file of the bundle and what it must hash to."""

    path: Annotated[str, AfterValidator(_inside)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Sample(BundleFile):
    """An image to try the model with, and the label that it should get."""

    label: str


class TrainingData(_Entry):
    """What a model was trained on; ``images`` is their number, null where nobody says it."""

    name: Annotated[str, Field(min_length=1)]
    images: Annotated[int, Field(gt=0)] | None = None


class DataSet(TrainingData):
    """What a model was trained or measured on, by who counted its images."""

    images: Annotated[int, Field(gt=0)]


class PublishedAccuracy(_Entry):
    """What others measured and published, from 0 to 1, on ``data_set``; ``source`` says who."""

    data_set: str
    top_1: Annotated[float, Field(ge=0, le=1)]
    top_5: Annotated[float, Field(ge=0, le=1)]
    source: str


class Preprocessing(_Entry):
    """From any image to what the network takes.

    The shorter side becomes ``resize`` pixels, the middle ``crop`` by ``crop`` is kept (torchvision's ``Resize`` and
    ``CenterCrop``), then each RGB channel, as 0 to 1, has ``mean`` subtracted and is divided by ``std``.
    """

    resize: Annotated[int, Field(gt=0, le=4096)]
    crop: Annotated[int, Field(gt=0, le=4096)]
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    mean: Annotated[list[float], Field(min_length=3, max_length=3)]
    std: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3, max_length=3)]

    @model_validator(mode="after")
    def _crop_fits(self) -> "Preprocessing":
        if self.crop > self.resize:
            raise ValueError(f"crop {self.crop} is larger than resize {self.resize}; it must fit inside")
        return self


class Variant(_Entry):
    """One precision of the model for one engine.

    ``inputs`` is what its graph takes: ``pixels`` (UINT8 ``[N, S, S, 3]``, normalisation inside the graph) or
    ``tensor`` (normalised FP32 ``[N, 3, S, S]``). ``accuracy`` is top-1 on the bundle's evaluation data, ``agreement``
    the share of its images on which this variant and the float32 one name the same class; both from 0 to 1. Torch takes
    ``pixels`` and keeps float32 weights, whatever precision it computes in.
    """

    precision: Precision
    engine: EngineName
    device: Device
    inputs: InputName
    files: Annotated[list[BundleFile], Field(min_length=1)]
    accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    agreement: Annotated[float, Field(ge=0, le=1)] | None = None

    @model_validator(mode="after")
    def _files_suit_the_engine(self) -> "Variant":
        wanted = ENGINE_SUFFIXES[self.engine]
        found = tuple(PurePosixPath(file.path).suffix for file in self.files)
        if found != wanted:
            raise ValueError(f"{self.engine} takes one file each of {', '.join(wanted)}, in this order; found {found}")
        if self.device == "cuda" and self.engine != "torch":
            raise ValueError(f"{self.engine} runs on cpu here; device cuda needs engine torch")
        if self.precision in ("float16", "bfloat16") and self.engine != "torch":
            raise ValueError(f"{self.precision} needs engine torch, not {self.engine}")
        if self.engine == "torch" and (self.inputs != "pixels" or self.precision == "int8"):
            raise ValueError("torch takes pixels, and computes in float32, float16 or bfloat16")
        return self


class Manifest(_Entry):
    """``model.yaml``; ``trained_on`` is null for a model that was never trained."""

    format: Literal[1]
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    architecture: str
    weights: str
    trained_on: TrainingData | None
    made_by: str
    preprocessing: Preprocessing
    labels: Annotated[list[str], Field(min_length=2)]
    labels_source: str
    published: PublishedAccuracy | None = None
    evaluation: DataSet | None = None
    samples: list[Sample] = []
    variants: Annotated[list[Variant], Field(min_length=1)]


def select_variant(
    manifest: Manifest,
    *,
    precision: str = "auto",
    device: str = "auto",
    engine: str = "auto",
    runs_here: Callable[[Variant], bool] = lambda _: True,
) -> Variant:
    """Return the first variant that fits; ``auto`` fits any.

    Args:
        manifest: the bundle's.
        precision, device, engine: what is asked for.
        runs_here: whether this machine has what a variant needs; asked only of those that fit otherwise.

    Raises:
        BundleError: none fits; the message lists those there are.
    """
    wanted = (precision, device, engine)
    fitting = [
        variant
        for variant in manifest.variants
        if all(
            ask in ("auto", has)
            for ask, has in zip(wanted, (variant.precision, variant.device, variant.engine), strict=True)
        )
    ]
    for variant in fitting:
        if runs_here(variant):
            return variant
    questions = {"precision": precision, "device": device, "engine": engine}
    named = [f"{name} {ask}" for name, ask in questions.items() if ask != "auto"]
    asked = f" for {', '.join(named)}" if named else ""
    there_are = ", ".join(f"{v.precision} on {v.device} by {v.engine}" for v in fitting or manifest.variants)
    if fitting:
        raise BundleError(
            f"model {manifest.name!r} has variants{asked}, but this machine runs none of them, for want of their "
            f"engine's package or of a GPU: {there_are}"
        )
    raise BundleError(f"model {manifest.name!r} has no variant{asked}; it has: {there_are}")
