"""What a watch sees of a market, and when a feed ends."""

import asyncio
from decimal import Decimal

from paper_exchange.server.stream_feed import BookWatch, FeedKey, Feeds
from tests.support.paper.engine_kit import make_exchange, place, set_book


def watched(depth=None):
    exchange = make_exchange()
    set_book(exchange, bids=[("49900", "5"), ("49800", "1")], asks=[("50100", "5")])
    return exchange, BookWatch(exchange.market("BTCUSDT"), depth)


def numbers(levels):
    return [(str(price), str(qty)) for price, qty in levels]


def test_a_book_that_stands_still_has_no_changes():
    _, watch = watched()
    assert watch.look() is None


def test_an_order_that_rests_and_one_that_takes_are_seen_as_new_quantities():
    exchange, watch = watched()
    place(exchange, "BUY", "2", "49800")
    place(exchange, "BUY", "1.5", "50100")
    change = watch.look()
    assert numbers(change.bids) == [("49800", "3")]
    assert numbers(change.asks) == [("50100", "3.5")]


def test_a_level_that_is_gone_has_no_quantity():
    exchange, watch = watched()
    set_book(exchange, bids=[("49900", "5")], asks=[("50100", "5")])
    assert numbers(watch.look().bids) == [("49800", "0")]


def test_the_ids_of_changes_leave_no_gap_whatever_happened_between():
    exchange, watch = watched()
    place(exchange, "BUY", "2", "49800")
    first = watch.look()
    order = place(exchange, "BUY", "1", "49700", account="bob")
    exchange.cancel("bob", "BTCUSDT", order.id, None)
    assert watch.look() is None
    place(exchange, "BUY", "1", "49600")
    second = watch.look()
    assert second.first_id == first.last_id + 1
    assert second.last_id == exchange.market("BTCUSDT").update_id
    assert second.number == first.number + 1


def test_below_its_depth_a_watch_sees_nothing_until_it_rises():
    exchange, watch = watched(depth=1)
    place(exchange, "BUY", "2", "49700")
    assert watch.look() is None
    place(exchange, "SELL", "5", "49900")
    assert numbers(watch.look().bids) == [("49900", "0"), ("49800", "1")]


def test_a_feed_reads_the_book_only_while_it_has_listeners():
    async def tasks():
        exchange = make_exchange()
        feeds = Feeds(exchange.markets.get, lambda _, change: str(change))
        key = FeedKey("BTCUSDT", None, 1)
        heard = []
        for listener in (heard.append, heard.append):
            feeds.join(key, listener)
        place(exchange, "BUY", "1", "30000")
        async with asyncio.timeout(5):
            while len(heard) < 2:
                await asyncio.sleep(0.005)
        running = len(asyncio.all_tasks())
        for listener in (heard.append, heard.append):
            feeds.leave(key, listener)
        place(exchange, "BUY", "1", "30000")
        await asyncio.sleep(0.05)
        return running, len(asyncio.all_tasks()), len(heard)

    assert asyncio.run(tasks()) == (2, 1, 2)


def test_there_is_no_feed_of_a_market_that_is_not_listed():
    async def joined():
        feeds = Feeds(make_exchange().markets.get, lambda *_: "")
        return feeds.join(FeedKey("NOTHING", None, 100), print)

    assert asyncio.run(joined()) is None


def test_the_whole_book_is_where_the_next_change_starts_from():
    exchange, watch = watched()
    place(exchange, "BUY", "1", "49900")
    whole = watch.whole()
    assert dict(whole.bids)[Decimal(49900)] == 5
    assert watch.look().number == whole.number + 1
