"""The SQLite file of the ledger is deleted, or another one is put into its place."""

from pathlib import Path

import pytest
from fakes import ACCOUNT, SYMBOL
from stores_kit import ServerDesk

from execution.ledger.sql.ledger import open_ledger
from execution.model.errors import UntrustedLedger


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def desk(valkey_url: str, file: Path) -> ServerDesk:
    """It has an order that has left Redis, and one that has not."""
    desk = ServerDesk(valkey_url)
    desk.ledger = open_ledger(f"sqlite:///{file}")  # type: ignore[assignment]
    desk.connect_anew()
    desk.looked_over()
    desk.gone(desk.filled(1))
    desk.filled(2, "98")
    desk.archive.run()
    return desk


def delete(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


def test_a_file_that_was_deleted_moves_no_position_and_gets_what_is_left(
    desk: ServerDesk, file: Path
) -> None:
    delete(file)
    found = desk.reconcile()
    assert found.repaired[0].startswith("positions are not checked: the ledger is another one")
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 2
    assert [order.signal_id for order in desk.ledger.orders()] == ["signal-2"]
    again = desk.reconcile()
    assert (again.repaired, again.warnings) == ([], found.warnings)
    with pytest.raises(UntrustedLedger):
        desk.repairer.rebuild()
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 2


def test_a_person_may_go_on_with_what_the_new_file_has(desk: ServerDesk, file: Path) -> None:
    delete(file)
    desk.repairer.rebuild(force=True)
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 1
    assert desk.reconcile().warnings == []


def test_the_file_put_back_is_the_ledger_that_it_was(desk: ServerDesk, file: Path) -> None:
    desk.ledger.close()  # type: ignore[attr-defined]
    aside = file.rename(file.with_name("aside"))
    desk.reconcile()
    desk.ledger.close()  # type: ignore[attr-defined]
    delete(file)
    aside.rename(file)
    found = desk.reconcile()
    assert (found.warnings, found.error) == ([], None)
    assert desk.store.position(ACCOUNT, SYMBOL).amount == 2
    assert desk.repairer.rebuild()[0].agrees
