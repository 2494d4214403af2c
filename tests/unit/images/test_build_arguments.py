"""Build arguments that can't work end the build with a sentence that names them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run images/verify.py as the Dockerfile does, beside the server's code."""
    command = [sys.executable, str(ROOT / "images/verify.py"), str(folder), "models/mine"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_bundle_is_verified(colour_bundle: Path) -> None:
    done = verify(colour_bundle)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("verified colours (")


def test_a_folder_of_bundles_is_too(colour_bundle: Path) -> None:
    assert verify(colour_bundle.parent).stdout.startswith("verified colours (")


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    done = verify(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("--build-arg BUNDLE=models/mine is not what the server takes: ")
    assert "model.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bundle_that_was_changed_is_refused(colour_bundle: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(colour_bundle, tmp_path / "changed")
    file = yaml.safe_load((changed / "model.yaml").read_text())["variants"][0]["files"][0]["path"]
    (changed / file).write_bytes(b"other")
    done = verify(changed)
    assert done.returncode == 1
    assert f"{file}: its sha256 is" in done.stderr


def test_certificates_without_one_are_refused(tmp_path: Path) -> None:
    shutil.copy(ROOT / "images/install", tmp_path)
    (tmp_path / "certificates.pem").write_text("not one\n")
    (tmp_path / "python").symlink_to(shutil.which("false") or "")  # were it not refused, nothing should be installed
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [str(tmp_path / "install"), "serve.txt"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("images/install: --build-arg CERTIFICATES names a file without a certificate")
