"""Messages that nothing can be done with: kept, and shown in part and without secrets."""

import structlog

from workers.intake.set_aside import LOGGED_MAX, put_aside


def test_the_log_shows_the_beginning_of_a_long_message_and_how_long_it_is() -> None:
    with structlog.testing.capture_logs() as lines:
        put_aside("x" * 5_000_000, "body: " + "y" * 10_000)

    assert len(lines[0]["text"]) == LOGGED_MAX
    assert lines[0]["text"].endswith("(cut: 5,000,000 characters)")
    assert len(lines[0]["reason"]) == LOGGED_MAX
    assert lines[0]["length"] == 5_000_000


def test_the_log_shows_no_secret_not_even_one_that_the_cut_goes_through() -> None:
    secret = "redis://user:" + "s3cr3t" * 100 + "@host/0"
    with structlog.testing.capture_logs() as lines:
        put_aside("x" * (LOGGED_MAX - 60) + " " + secret, secret)

    assert "s3cr3t" not in lines[0]["text"] + lines[0]["reason"]
