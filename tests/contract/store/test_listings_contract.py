"""What Listings promises, of memory and of a real server alike."""

from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from test_arbitrage_store_contract import an_arbitrage
from test_arbitrage_store_contract import kept as kept_arbitrage

from execution.model.errors import StoreUnavailable
from execution.orders.store import RefusedIntent
from execution.reconciliation.run import Reconciliation
from execution.store.access import keys
from execution.store.access.connection import connect
from execution.store.redis.listings import RedisListings
from execution.store.stores import Stores
from tests.support.clock import EPOCH
from tests.support.fakes import ACCOUNT
from tests.support.stores_kit import AWAY, PARAMS, an_order, kept, stores_of


@pytest.fixture(params=PARAMS)
def stores(request: pytest.FixtureRequest) -> Stores:
    return stores_of(request.param, request)


def test_nothing_is_listed_where_there_is_nothing(stores: Stores) -> None:
    listed = stores.listings
    assert list(listed.orders()) == []
    assert list(listed.arbitrages()) == []
    assert list(listed.refused()) == []
    assert list(listed.reconciliations()) == []


def test_orders_come_newest_first(stores: Stores) -> None:
    orders = [kept(stores, an_order(number)) for number in (2, 1, 3)]
    by_age = sorted(orders, key=lambda order: order.created_at, reverse=True)
    assert list(stores.listings.orders()) == by_age


def test_arbitrages_come_newest_first(stores: Stores) -> None:
    found = [kept_arbitrage(stores, an_arbitrage(number)) for number in (2, 1, 3)]
    by_age = sorted(found, key=lambda one: one.created_at, reverse=True)
    assert list(stores.listings.arbitrages()) == by_age


def test_refused_signals_come_newest_first(stores: Stores) -> None:
    refused = [
        RefusedIntent("orders.execute", f"{number}", "no", EPOCH + timedelta(seconds=number))
        for number in range(3)
    ]
    for each in refused:
        stores.intents.refuse_intent(each, None)
    assert list(stores.listings.refused()) == refused[::-1]


def test_reconciliations_of_all_accounts_come_newest_first(stores: Stores) -> None:
    runs = [
        Reconciliation(account, EPOCH + timedelta(seconds=number))
        for number, account in enumerate([ACCOUNT, "other", ACCOUNT])
    ]
    for run in runs:
        stores.reconciliations.add_run(run)
    assert list(stores.listings.reconciliations()) == runs[::-1]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Stores:
    return stores_of("redis", request)


def test_lists_longer_than_a_page_are_whole(server: Stores, valkey_url: str) -> None:
    orders = [kept(server, an_order(number)) for number in range(1, 12)]
    for number in range(11):
        at = EPOCH + timedelta(seconds=number)
        server.intents.refuse_intent(RefusedIntent("t", f"{number}", "no", at), None)
    listed = RedisListings(connect(valkey_url), page=3)
    assert list(listed.orders()) == orders[::-1]
    assert [each.body for each in listed.refused()] == [str(n) for n in range(10, -1, -1)]


def test_the_newest_few_cost_two_requests_however_many_there_are(
    server: Stores, valkey_url: str
) -> None:
    for number in range(1, 40):
        kept(server, an_order(number))
    client: Any = connect(valkey_url)
    listed = RedisListings(client, page=5)
    client.config_resetstat()
    assert len(list(islice(listed.orders(), 5))) == 5
    calls = client.info("commandstats")
    assert calls["cmdstat_zrevrange"]["calls"] == 1
    assert calls["cmdstat_hget"]["calls"] <= 5


def test_an_order_that_comes_while_the_list_is_read_shows_none_twice(
    server: Stores, valkey_url: str
) -> None:
    orders = [kept(server, an_order(number)) for number in range(1, 9)]
    reading = RedisListings(connect(valkey_url), page=2).orders()
    found = [next(reading)]
    kept(server, an_order(50))
    found += reading
    assert found == orders[::-1]


def test_an_id_whose_record_is_gone_is_left_out(server: Stores, valkey_url: str) -> None:
    first, second = kept(server, an_order(1)), kept(server, an_order(2))
    connect(valkey_url).delete(keys.order(second.order_id))
    assert list(server.listings.orders()) == [first]


def test_a_server_that_is_away_is_said_so() -> None:
    listed = RedisListings(connect(AWAY))
    for rows in (listed.orders(), listed.refused(), listed.arbitrages(), listed.reconciliations()):
        with pytest.raises(StoreUnavailable):
            next(iter(rows))
