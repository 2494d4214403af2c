"""Bundles that must not be served: row 31."""

import pickle
import shutil
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from bundles import entry, write_colour_bundle
from doors import ANSWER_SECONDS, top_labels
from pictures import RED
from servers import FREE_PORTS, running_server

SERVE_EACH = "import sys; from model_server.__main__ import main; folders = sys.argv[1:]; " + (
    "options = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0', '--host', '127.0.0.1']; "
    "print(*[main(['--models', folder, *options]) for folder in folders])"
)


class Trap:
    """Unpickling one leaves a marker."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


def trap(bundle: Path, protocol: int = 4) -> bytes:
    return pickle.dumps(Trap(marker(bundle)), protocol)


def marker(bundle: Path) -> Path:
    """Return the file that is there once something in the bundle was run."""
    return bundle.with_name(bundle.name + ".ran")


def rewrite(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest."""
    path = bundle / "model.yaml"
    manifest = yaml.safe_load(path.read_text())
    change(manifest)
    path.write_text(yaml.safe_dump(manifest, sort_keys=False))


def replace(bundle: Path, path: str, data: bytes) -> None:
    """Change a file, and its digest everywhere in the manifest with it."""
    (bundle / path).write_bytes(data)
    new = entry(bundle, path)

    def change(manifest: dict[str, Any]) -> None:
        for variant in manifest["variants"]:
            variant["files"] = [new if file["path"] == path else file for file in variant["files"]]

    rewrite(bundle, change)


def point_to(path: str) -> Callable[[Path], None]:
    """Return what makes the first file of the first variant another one."""

    def damage(bundle: Path) -> None:
        def change(manifest: dict[str, Any]) -> None:
            manifest["variants"][0]["files"][0]["path"] = path.format(bundle=bundle)

        rewrite(bundle, change)

    return damage


def set_field(*keys: Any, value: Any) -> Callable[[Path], None]:
    def damage(bundle: Path) -> None:
        def change(manifest: dict[str, Any]) -> None:
            where: Any = manifest
            for key in keys[:-1]:
                where = where[key]
            where[keys[-1]] = value

        rewrite(bundle, change)

    return damage


def flip(path: str) -> Callable[[Path], None]:
    def damage(bundle: Path) -> None:
        data = bytearray((bundle / path).read_bytes())
        data[len(data) // 2] ^= 1
        (bundle / path).write_bytes(data)

    return damage


def cut(path: str, kept: int) -> Callable[[Path], None]:
    return lambda bundle: (bundle / path).write_bytes((bundle / path).read_bytes()[:kept]) and None


def link(path: str) -> Callable[[Path], None]:
    """Return what moves a file out of the bundle and leaves a link to it."""

    def damage(bundle: Path) -> None:
        outside = bundle.with_name(f"{bundle.name}-outside")
        shutil.move(bundle / path, outside)
        (bundle / path).symlink_to(outside)

    return damage


def write(path: str, data: Callable[[Path], bytes]) -> Callable[[Path], None]:
    return lambda bundle: (bundle / path).write_bytes(data(bundle)) and None


def zip_a_pickle(bundle: Path) -> None:
    """What torch.save writes."""
    with zipfile.ZipFile(bundle / "model.pt", "w") as file:
        file.writestr("archive/data.pkl", trap(bundle))
    (bundle / "model.pt").rename(bundle / "model.safetensors")


def alias_bomb(bundle: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (bundle / "model.yaml").write_text("\n".join([*lines, "format: *a8"]))


FIRST_PATH = "model.yaml: variants.0.files.0.path"

DAMAGES: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "another bit in the weights": (flip("model.bin"), ("model.bin: its sha256 is", "model.yaml says")),
    "another bit in the graph": (flip("model.xml"), ("model.xml: its sha256 is",)),
    "another bit in a variant not served": (flip("model.onnx"), ("model.onnx: its sha256 is",)),
    "another bit in a sample": (flip("samples/red-0.png"), ("samples/red-0.png: its sha256 is",)),
    "truncated weights": (cut("model.bin", -1), ("model.bin: its sha256 is", "incomplete", "copy the bundle again")),
    "empty weights": (cut("model.bin", 0), ("model.bin: its sha256 is",)),
    "truncated graph": (cut("model.onnx", 40), ("model.onnx: its sha256 is",)),
    "weights missing": (lambda bundle: (bundle / "model.bin").unlink(), ("model.bin: No such file", "incomplete")),
    "a folder for a file": (
        lambda bundle: ((bundle / "model.bin").unlink(), (bundle / "model.bin").mkdir()),
        ("model.bin: ",),
    ),
    "a pickle by name": (write("model.pkl", trap), ("model.pkl: a pickle can run code", "safetensors")),
    "a checkpoint by name": (write("samples/model.PTH", trap), ("samples/model.PTH: a pickle",)),
    "a pickle as the graph": (lambda b: replace(b, "model.onnx", trap(b)), ("model.onnx: a pickle",)),
    "a pickle by another name": (write("README.txt", lambda b: trap(b, 2)), ("README.txt: a pickle",)),
    "a pickle in an archive": (zip_a_pickle, ("model.safetensors: a pickle",)),
    "a link to the weights": (link("model.bin"), ("model.bin: a link to", "outside the bundle", "put the file")),
    "a link to the manifest": (link("model.yaml"), ("model.yaml: a link to", "outside the bundle")),
    "a link to a folder": (link("samples"), ("samples: a link to", "outside the bundle")),
    "an absolute path": (point_to("{bundle}/model.xml"), (FIRST_PATH, "inside the bundle")),
    "a path out and in again": (
        point_to("../{bundle.name}/model.xml"),
        (FIRST_PATH, "'..'"),
    ),
    "a path with backslashes": (point_to("..\\model.xml"), (FIRST_PATH,)),
    "a path that is empty": (point_to(""), (FIRST_PATH,)),
    "an unknown field": (
        set_field("licence", value="MIT"),
        ("model.yaml: licence = 'MIT'", "is not a field of model.yaml"),
    ),
    "an unknown field inside": (set_field("variants", 0, "threads", value=8), ("model.yaml: variants.0.threads = 8",)),
    "a field missing": (lambda b: rewrite(b, lambda m: m.pop("labels")), ("model.yaml: labels is missing",)),
    "another format": (set_field("format", value=2), ("model.yaml: format = 2",)),
    "a name for a path": (set_field("name", value="../etc"), ("model.yaml: name = '../etc'",)),
    "no deviation": (set_field("preprocessing", "std", value=[0.0] * 3), ("model.yaml: preprocessing.std.0 = 0.0",)),
    "a digest that is none": (
        set_field("variants", 0, "files", 1, "sha256", value="abc"),
        ("model.yaml: variants.0.files.1.sha256 = 'abc'",),
    ),
    "an empty manifest": (lambda b: (b / "model.yaml").write_text(""), ("model.yaml: the document = None",)),
    "a manifest that is no YAML": (lambda b: (b / "model.yaml").write_text("a: [1"), ("model.yaml: not valid YAML",)),
    "a manifest of bytes": (lambda b: (b / "model.yaml").write_bytes(b"\xff\xfe\x00"), ("model.yaml: not valid YAML",)),
    "a manifest that calls": (
        lambda b: (b / "model.yaml").write_text(f"name: !!python/object/apply:os.mkdir ['{marker(b)}']"),
        ("model.yaml: not valid YAML",),
    ),
    "a manifest without end": (
        lambda b: (b / "model.yaml").write_bytes(b"#" * (9 << 20)),
        ("model.yaml: 9437184 bytes",),
    ),
    "a manifest that explodes": (alias_bomb, ("model.yaml: ",)),
    "a graph that is none": (
        lambda b: replace(b, "model.xml", b"<net/>"),
        ("openvino can't load model.xml, model.bin",),
    ),
    "no bundle at all": (lambda b: (b / "model.yaml").unlink(), ("holds no model bundle", "model.yaml")),
}


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """Damage a bundle in every way, have one process try to serve each, and return what it said about each."""
    parent = tmp_path_factory.mktemp("bundles")
    sound = write_colour_bundle(parent / "sound")
    folders = []
    for number, (damage, _) in enumerate(DAMAGES.values()):
        folders.append(shutil.copytree(sound, parent / f"bundle-{number}"))
        damage(folders[-1])
    process = subprocess.run(
        [sys.executable, "-c", SERVE_EACH, *map(str, folders)], capture_output=True, text=True, timeout=ANSWER_SECONDS
    )
    assert process.stdout.split() == ["1"] * len(folders), process.stdout + process.stderr
    lines = process.stderr.splitlines()
    assert len(lines) == len(folders), process.stderr
    return dict(zip(DAMAGES, zip(lines, folders, strict=True), strict=True))


@pytest.mark.parametrize("damage", DAMAGES)
def test_row_31_a_damaged_bundle_is_named_in_one_line(refusals: dict[str, tuple[str, Path]], damage: str) -> None:
    line, folder = refusals[damage]
    assert line.startswith("vision-server: ")
    assert len(line) < 1000
    missing = [word for word in (folder.name, *DAMAGES[damage][1]) if word not in line]
    assert not missing, f"{missing} not in {line!r}"
    assert not marker(folder).exists(), "something in the bundle was run"


def test_row_31_the_marker_would_tell(tmp_path: Path) -> None:
    pickle.loads(trap(tmp_path / "bundle"))
    assert marker(tmp_path / "bundle").exists()


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("damage", ["truncated weights", "a pickle as the graph", "a graph that is none"])
def test_row_31_a_server_of_it_is_never_ready(tmp_path: Path, port: int, damage: str) -> None:
    bundle = write_colour_bundle(tmp_path / "bundle")
    change, words = DAMAGES[damage]
    change(bundle)
    command = [sys.executable, "-m", "model_server", "--host", "127.0.0.1", *FREE_PORTS, "--http-port", str(port)]
    process = subprocess.Popen(
        [*command, "--models", str(bundle)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    answers = []
    try:
        while process.poll() is None:
            try:
                answers.append(httpx.get(f"http://127.0.0.1:{port}/v2/health/ready", trust_env=False).status_code)
            except httpx.TransportError:
                continue
        out, err = process.communicate(timeout=ANSWER_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert 200 not in answers
    assert process.returncode == 1
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert [word for word in (str(bundle), *words) if word not in err] == []
    assert not marker(bundle).exists()


def test_row_31_what_is_sound_or_mended_is_served(tmp_path: Path, colour_bundle: Path) -> None:
    """Weights may begin with any byte, so a pickle behind them is nothing but numbers, and nothing unpickles it."""
    odd = write_colour_bundle(tmp_path / "odd", "odd")
    replace(odd, "model.bin", (odd / "model.bin").read_bytes() + trap(odd))
    mended = write_colour_bundle(tmp_path / "mended", "mended")
    flip("model.bin")(mended)
    shutil.copy(colour_bundle / "model.bin", mended / "model.bin")
    with running_server(tmp_path / "server.log", "--models", str(odd), "--models", str(mended)) as server:
        for name in ("odd", "mended"):
            answer = httpx.post(f"{server.url}/model/{name}/predict", content=RED, trust_env=False)
            assert top_labels(answer) == ["red"]
    assert not marker(odd).exists()
