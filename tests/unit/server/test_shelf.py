"""Bundles, found by name in the folders as they are now."""

import shutil
from pathlib import Path

import pytest

from model_server.errors import BundleError
from model_server.shelf import Shelf


@pytest.fixture
def models(tmp_path: Path, colour_bundle: Path) -> Path:
    """A folder of one bundle, which is called otherwise than its folder."""
    shutil.copytree(colour_bundle, tmp_path / "models" / "first")
    return tmp_path / "models"


def rename(bundle: Path, old: str, new: str) -> None:
    path = bundle / "model.yaml"
    path.write_text(path.read_text().replace(f"name: {old}\n", f"name: {new}\n"))


def test_a_bundle_is_found_by_the_name_in_its_manifest(models: Path) -> None:
    shelf = Shelf((models,))
    assert shelf.find("colours") == models / "first"
    assert shelf.find("first") is None
    assert Shelf((models / "first",)).find("colours") == models / "first"
    assert list(shelf.find_all()) == [(models / "first", None)]


def test_what_changes_in_the_folders_is_seen(models: Path) -> None:
    shelf = Shelf((models,))
    assert shelf.find("colours") == models / "first"
    rename(models / "first", "colours", "colored")
    assert (shelf.find("colours"), shelf.find("colored")) == (None, models / "first")
    shutil.copytree(models / "first", models / "second")
    with pytest.raises(BundleError, match=r"first and .*second are both named 'colored'; remove one of them"):
        shelf.find("colored")
    rename(models / "second", "colored", "shapes")
    assert (shelf.find("colored"), shelf.find("shapes")) == (models / "first", models / "second")
    shutil.rmtree(models)
    assert shelf.find("colored") is None


def test_a_name_that_was_given_comes_before_all_others(models: Path) -> None:
    shelf = Shelf((models,), (("mine", models / "first"), ("colours", models / "elsewhere")))
    assert shelf.find("mine") == models / "first"
    assert shelf.find("colours") == models / "elsewhere"
    assert list(shelf.find_all())[1:] == [(models / "first", "mine"), (models / "elsewhere", "colours")]


@pytest.mark.parametrize("text", ["", "name: [", "name: nothing-else"])
def test_a_bundle_that_can_not_be_read_is_called_as_its_folder_and_hides_no_other(models: Path, text: str) -> None:
    shutil.copytree(models / "first", models / "broken")
    (models / "broken" / "model.yaml").write_text(text)
    shelf = Shelf((models,))
    assert shelf.find("broken") == models / "broken"
    assert shelf.find("colours") == models / "first"
