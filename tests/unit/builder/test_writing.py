from pathlib import Path

import pytest

from model_builder import writing
from model_builder.errors import BuildError
from model_builder.writing import check_name, check_output, describe, write_bundle
from model_server.bundle import Bundle, read_bundle
from model_server.errors import BundleError
from model_server.manifest import Manifest, Preprocessing, Variant


def write(folder: Path, content: bytes = b"weights", path: str = "float32/model.onnx") -> Bundle:
    contents = {path: content}
    manifest = Manifest(
        format=1,
        name="tiny",
        architecture="none",
        weights="none",
        trained_on=None,
        made_by="a test",
        preprocessing=Preprocessing(resize=32, crop=32, mean=[0.5] * 3, std=[0.5] * 3),
        labels=["a", "ü"],
        labels_source="a test",
        variants=[
            Variant(
                precision="float32",
                engine="onnxruntime",
                device="cpu",
                inputs="tensor",
                files=[describe(path, data) for path, data in contents.items()],
            )
        ],
    )
    return write_bundle(manifest, contents, folder)


def weights(folder: Path) -> bytes:
    bundle = read_bundle(folder)
    return bundle.read(bundle.manifest.variants[0].files[0])


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "tiny"
    written = write(folder)
    assert read_bundle(folder) == written
    assert written.manifest.labels == ["a", "ü"]
    assert weights(folder) == b"weights"
    assert write(tmp_path / "another").revision == written.revision
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write(tmp_path / "tiny")
    for path in (tmp_path / "tiny", *(tmp_path / "tiny").rglob("*")):
        mode = path.stat().st_mode
        assert mode & 0o044 == 0o044 & ~_umask(), path


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_bundle_is_replaced_and_nothing_of_the_old_one_stays(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    write(folder, b"old", "float32/old.onnx")
    write(folder, b"new", "model.onnx")
    assert weights(folder) == b"new"
    assert {path.name for path in folder.iterdir()} == {"model.yaml", "model.onnx"}
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize(("behind", "stays"), [("tiny", b"old"), ("made", b"new")])
def test_an_interrupt_right_behind_a_rename_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind: str, stays: bytes
) -> None:
    folder = tmp_path / "tiny"
    write(folder, b"old")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        result = rename(self, target)
        if self.name == behind:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(folder, b"new")
    assert weights(folder) == stays
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


@pytest.mark.parametrize("failing", ["read_bundle", "_swap"])
def test_a_failure_leaves_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    folder = tmp_path / "tiny"
    write(folder, b"old")

    def fail(*_: object) -> None:
        raise BundleError("no")

    with monkeypatch.context() as patch:
        patch.setattr(writing, failing, fail)
        with pytest.raises(BundleError):
            write(folder, b"new")
    assert weights(folder) == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_an_interrupt_between_the_two_renames_brings_the_old_bundle_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tiny"
    write(folder, b"old")
    rename = Path.rename

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == "made":
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(folder, b"new")
    assert weights(folder) == b"old"


def test_a_link_to_a_bundle_stays_a_link(tmp_path: Path) -> None:
    write(tmp_path / "tiny", b"old")
    (tmp_path / "link").symlink_to("tiny")
    write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert weights(tmp_path / "tiny") == b"new"


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    write(tmp_path / "tiny")
    assert read_bundle(tmp_path / "tiny").manifest.name == "tiny"


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("")
    with pytest.raises(BuildError, match="a file is there"):
        check_output(tmp_path / "tiny")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(BuildError, match=r"something other than a bundle \(there is no model.yaml\)"):
        check_output(tmp_path)


@pytest.mark.parametrize("path", ["notes.txt", "float32/notes.txt", "samples/cat.png"])
def test_a_bundle_with_a_file_of_somebody_is_refused(tmp_path: Path, path: str) -> None:
    write(tmp_path / "tiny")
    (tmp_path / "tiny" / path).parent.mkdir(exist_ok=True)
    (tmp_path / "tiny" / path).write_text("")
    with pytest.raises(BuildError, match=f"would remove {path}, which model.yaml does not list"):
        check_output(tmp_path / "tiny")


def test_a_bundle_with_many_files_of_somebody_names_some(tmp_path: Path) -> None:
    write(tmp_path / "tiny")
    for number in range(7):
        (tmp_path / "tiny" / f"{number}.txt").write_text("")
    with pytest.raises(BuildError, match=r"would remove 0\.txt, 1\.txt, 2\.txt, 3\.txt, 4\.txt and 2 more, which"):
        check_output(tmp_path / "tiny")


def test_a_damaged_bundle_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "tiny")
    (tmp_path / "tiny/float32/model.onnx").write_bytes(b"half")
    write(tmp_path / "tiny")
    assert weights(tmp_path / "tiny") == b"weights"


def test_a_manifest_that_can_not_be_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text("the only copy of something")
    with pytest.raises(BuildError, match=r"its model\.yaml can't be read, .* remove the folder or give another one"):
        check_output(tmp_path)


@pytest.mark.parametrize("name", ["", "A", "a b", "1a", "a-", "a\n", "a" * 49])
def test_a_name_that_kserve_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(BuildError, match=r"--name .*: a model's name is up to 48"):
        check_name(name)


def test_a_name_that_kserve_takes_will_do() -> None:
    for name in ("a", "resnet-50", "a" * 48):
        check_name(name)


def test_a_parent_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="can't be written to"):
        check_output(tmp_path / "file" / "tiny")
