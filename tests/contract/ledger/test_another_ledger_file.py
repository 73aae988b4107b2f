"""The SQLite file of the ledger is deleted, or another one is put into its place."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from execution.ledger.sql.ledger import open_ledger
from execution.model.errors import LedgerUnavailable, UntrustedLedger
from tests.support.exchange import SYMBOL
from tests.support.fakes import ACCOUNT
from tests.support.stores_kit import ServerRig, an_order


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def rig(valkey_url: str, file: Path) -> ServerRig:
    """It has an order that has left Redis, and one that has not."""
    rig = ServerRig(valkey_url)
    rig.ledger = open_ledger(f"sqlite:///{file}")  # type: ignore[assignment]
    rig.connect_anew()
    rig.looked_over()
    rig.gone(rig.filled(1))
    rig.filled(2, "98")
    rig.archive.run()
    return rig


def delete(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


def test_a_file_that_was_deleted_moves_no_position_and_gets_what_is_left(
    rig: ServerRig, file: Path
) -> None:
    delete(file)
    found = rig.reconcile()
    assert found.repaired[0].startswith("positions are not checked: the ledger is another one")
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 2
    assert [order.signal_id for order in rig.ledger.orders()] == ["signal-2"]
    again = rig.reconcile()
    assert (again.repaired, again.warnings) == ([], found.warnings)
    with pytest.raises(UntrustedLedger):
        rig.rebuilder.rebuild()
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 2


def test_an_operator_may_continue_with_the_new_file(rig: ServerRig, file: Path) -> None:
    delete(file)
    rig.rebuilder.rebuild(force=True)
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 1
    assert rig.reconcile().warnings == []


def test_the_file_put_back_is_the_ledger_that_it_was(rig: ServerRig, file: Path) -> None:
    rig.ledger.close()  # type: ignore[attr-defined]
    aside = file.rename(file.with_name("aside"))
    rig.reconcile()
    rig.ledger.close()  # type: ignore[attr-defined]
    delete(file)
    aside.rename(file)
    found = rig.reconcile()
    assert (found.warnings, found.error) == ([], None)
    assert rig.store.position(ACCOUNT, SYMBOL).amount == 2
    assert rig.rebuilder.rebuild()[0].agrees


def test_what_a_ledger_says_it_has_written_is_in_its_file(tmp_path: Path) -> None:
    """The file is deleted or moved while workers have it open. They must report it, or write to a
    new one; else orders leave the store for a file that is never read."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first, second = (replace(an_order(number), version=1) for number in (1, 2))
    ledger = open_ledger(url)
    ledger.write([first])
    for file in tmp_path.iterdir():
        file.unlink()
    with suppress(LedgerUnavailable):
        ledger.write([second])
        assert open_ledger(url).order(second.order_id) == second
