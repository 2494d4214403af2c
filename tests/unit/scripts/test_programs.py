import pytest
from fakes import Programs

from scripts.errors import StepError
from scripts.programs import run


def test_it_returns_what_was_printed(programs: Programs) -> None:
    programs.answer("kind version", "kind v0.33.0\n")
    assert run("kind", "version", next_step="") == "kind v0.33.0\n"


def test_a_program_that_is_missing_says_how_to_get_it(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    (programs.folder / "helm").unlink()
    monkeypatch.setattr("scripts.programs.TOOLS", programs.folder)
    with pytest.raises(StepError, match="helm was not found") as refused:
        run("helm", "version", next_step="")
    assert "make tools" in refused.value.next_step


def test_a_failure_shows_its_last_lines_and_the_next_step(programs: Programs) -> None:
    programs.answer("docker info", "".join(f"line {number}\n" for number in range(30)), status=3)
    with pytest.raises(StepError, match="status 3") as refused:
        run("docker", "info", next_step="start Docker")
    assert "line 29" in str(refused.value)
    assert "line 3\n" not in str(refused.value)
    assert refused.value.next_step == "start Docker"


def test_what_is_logged_is_kept_and_named(programs: Programs) -> None:
    programs.answer("docker build", "no such image\n", status=1)
    with pytest.raises(StepError, match="no such image") as refused:
        run("docker", "build", ".", next_step="try", log="build")
    assert "logs/build.log" in refused.value.next_step
