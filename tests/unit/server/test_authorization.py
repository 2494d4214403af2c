"""The token that loads and unloads."""

from pathlib import Path

import pytest

from model_server.authorization import Authorization
from model_server.errors import Forbidden, RetryLater, StartError, Unauthorized

TOKEN = "0123456789abcdef"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_token_is_let_in(file: Path, header: str) -> None:
    Authorization(file).check_token(header)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (None, "a token is needed"),
        ("", "a token is needed"),
        ("Bearer", "a token is needed"),
        ("Bearer  ", "a token is needed"),
        (TOKEN, "a token is needed"),
        (f"Basic {TOKEN}", "a token is needed"),
        (f"Bearer {TOKEN[:-1]}", "not the server's"),
        (f"Bearer {TOKEN}0", "not the server's"),
        (f"Bearer {TOKEN} {TOKEN}", "not the server's"),
        ("Bearer \u20ac", "not the server's"),
    ],
)
def test_whoever_has_another_is_not(file: Path, header: str | None, says: str) -> None:
    with pytest.raises(Unauthorized, match=says) as refusal:
        Authorization(file).check_token(header)
    assert TOKEN not in refusal.value.message


def test_nobody_is_let_in_without_a_file() -> None:
    with pytest.raises(Forbidden, match="--repository-token-file FILE"):
        Authorization(None).check_token(f"Bearer {TOKEN}")


@pytest.mark.parametrize("text", ["", " \n", "short", f"{TOKEN[:-1]}\n", f"{TOKEN} {TOKEN}"])
def test_a_file_without_a_token_is_refused_at_the_start_and_later(file: Path, text: str) -> None:
    authorization = Authorization(file)
    file.write_text(text)
    with pytest.raises(StartError, match=r"--repository-token-file .*token: it must hold one word of at least 16"):
        Authorization(file)
    for header in ("Bearer ", "Bearer  ", f"Bearer {text.strip()}", f"Bearer {TOKEN}"):
        with pytest.raises((Unauthorized, RetryLater)):
            authorization.check_token(header)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"--repository-token-file .*none: No such file or directory"):
        Authorization(tmp_path / "none")


def test_a_rotated_token_holds_at_once(file: Path) -> None:
    authorization = Authorization(file)
    file.write_text(TOKEN[::-1])
    authorization.check_token(f"Bearer {TOKEN[::-1]}")
    with pytest.raises(Unauthorized):
        authorization.check_token(f"Bearer {TOKEN}")


def test_clients_are_not_told_where_the_file_is(file: Path) -> None:
    authorization = Authorization(file)
    file.unlink()
    with pytest.raises(RetryLater, match=r"token file can't be used now: No such file or directory$"):
        authorization.check_token(f"Bearer {TOKEN}")
