"""What makes a book one that cannot be true."""

from execution.model.book import Book


def defect_of(book: Book) -> str | None:
    """Say why a book cannot be true, None for a sound one. One that is locked, with its best bid at
    its best ask, is sound."""
    if not book.asks or not book.bids:
        return f"it has no {'bids' if book.asks else 'asks'}"
    if book.bids[0][0] > book.asks[0][0]:
        return f"it is crossed: a bid at {book.bids[0][0]}, an ask at {book.asks[0][0]}"
    if any(number <= 0 for level in (*book.asks, *book.bids) for number in level):
        return "it has a price or an amount that is not above zero"
    for name, prices in (
        ("asks", [price for price, _ in book.asks]),
        ("bids", [-price for price, _ in book.bids]),
    ):
        if prices != sorted(prices):
            return f"its {name} are out of order"
    return None
