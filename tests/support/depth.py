"""How deep tests by examples go: a little in every run, ten times as far in `make soak`."""

from hypothesis import settings

SOAK = "soak"


def examples(count: int) -> int:
    """How many examples a property is tried with under the profile of this run."""
    return 10 * count if settings.get_current_profile_name() == SOAK else count
