"""The folder of a run stays where it is needed, and only there."""

from pathlib import Path

import pytest

from workers.sandbox.chaos.folder import NotUsable, run_folder


def test_a_folder_of_its_own_is_gone_after_a_clean_run() -> None:
    with run_folder(None) as folder:
        (folder.path / "worker.log").write_text("all is well")
    assert not folder.path.exists()


def test_it_stays_after_a_run_that_failed_and_says_where(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ZeroDivisionError), run_folder(None) as folder:
        raise ZeroDivisionError
    assert folder.path.exists()
    assert str(folder.path) in capsys.readouterr().err
    folder.path.rmdir()


def test_it_is_gone_after_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), run_folder(None) as folder:
        raise KeyboardInterrupt
    assert not folder.path.exists()


def test_a_folder_that_was_named_stays(tmp_path: Path) -> None:
    with run_folder(tmp_path / "run") as folder:
        assert folder.path == tmp_path / "run"
    assert folder.path.exists()


@pytest.mark.parametrize("content", ["a file", "full"])
def test_a_folder_that_cannot_take_a_run_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").write_text("")
    kept = tmp_path / "run" if content == "a file" else tmp_path
    with pytest.raises(NotUsable, match=r"cannot be used|is not empty"), run_folder(kept):
        raise AssertionError("it must not run")
