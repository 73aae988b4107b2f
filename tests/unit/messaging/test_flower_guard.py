"""Which password lets Flower start, by the environment alone."""

import pytest

from workers.messaging.flower_guard import VARIABLE, auth_fault


@pytest.mark.parametrize(
    "given",
    ["", "trader", "trader:", ":hunter2", "trader:hunter 2", "trader:hunter2,", "trader:hunter2,a"],
)
def test_flower_does_not_start_without_a_name_and_a_password(given: str) -> None:
    fault = auth_fault({VARIABLE: given})
    assert fault is not None
    assert VARIABLE in fault
    assert "hunter2" not in fault


def test_flower_does_not_start_where_the_variable_is_not_set() -> None:
    assert VARIABLE in (auth_fault({}) or "")


@pytest.mark.parametrize("given", ["trader:hunter2", "trader:hunter2,other:word", "a:b:c"])
def test_flower_starts_with_one_login_or_several(given: str) -> None:
    assert auth_fault({VARIABLE: given}) is None
