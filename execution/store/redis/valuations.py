"""Marks, totals and the series of snapshots, in Redis. See valuation.ValuationStore."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from execution.ledger.port import Snapshot
from execution.model.decimals import to_decimal, to_text
from execution.positions.valuation import Mark, Totals
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded
from execution.text.json_adapter import JsonAdapter

_SNAPSHOT = JsonAdapter(Snapshot)
_NUMBERS = ("realised_pnl", "unrealised_pnl", "exposure", "net_exposure", "turnover")


class RedisValuations(RedisStore):
    """Everything that follows from prices."""

    @guarded
    def marks(self, account: str) -> dict[str, Mark]:
        fields = self._redis.hgetall(keys.marks(account))
        return {symbol: _mark_from(text) for symbol, text in fields.items()}

    @guarded
    def set_marks(self, account: str, prices: Mapping[str, Decimal], now_ms: int) -> None:
        if prices:
            texts = {symbol: f"{to_text(price)} {now_ms}" for symbol, price in prices.items()}
            self._redis.hset(keys.marks(account), mapping=texts)

    @guarded
    def totals(self, account: str | None = None) -> list[Totals]:
        pipe = self._redis.pipeline(transaction=False)
        for key in sorted(self._redis.smembers(keys.TOTALS)):
            pipe.hgetall(key)
        known = [_totals_from(stored) for stored in pipe.execute() if stored]
        return [totals for totals in known if account in (None, totals.account)]

    @guarded
    def set_totals(self, totals: Iterable[Totals]) -> None:
        pipe = self._redis.pipeline(transaction=True)
        for each in totals:
            key = keys.totals(each.account, each.quote)
            pipe.hset(key, mapping=_totals_hash(each))
            pipe.sadd(keys.TOTALS, key)
        pipe.execute()

    @guarded
    def add_snapshots(self, snapshots: Iterable[Snapshot]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for snapshot in snapshots:
            fields = {"snapshot": _SNAPSHOT.dump_json(snapshot)}
            pipe.xadd(keys.SNAPSHOTS, fields, maxlen=keys.SNAPSHOTS_MAX, approximate=True)
        pipe.execute()

    @guarded
    def unarchived_snapshots(self, limit: int) -> list[tuple[str, Snapshot]]:
        last = self._redis.get(keys.SNAPSHOTS_ARCHIVED)
        after = "-" if last is None else f"({last}"
        entries = self._redis.xrange(keys.SNAPSHOTS, after, "+", count=limit)
        return [(name, _SNAPSHOT.validate_json(fields["snapshot"])) for name, fields in entries]

    @guarded
    def mark_snapshots_archived(self, name: str) -> None:
        self._redis.set(keys.SNAPSHOTS_ARCHIVED, name)


def _mark_from(text: str) -> Mark:
    price, _, at_ms = text.partition(" ")
    return Mark(to_decimal(price), int(at_ms))


def _totals_hash(totals: Totals) -> dict[str, str]:
    return {
        "account": totals.account,
        "quote": totals.quote,
        **{name: to_text(getattr(totals, name)) for name in _NUMBERS},
        "fees": json.dumps({asset: to_text(fee) for asset, fee in totals.fees.items()}),
        "updated_at": totals.updated_at.isoformat(),
        "marked_at_ms": "" if totals.marked_at_ms is None else str(totals.marked_at_ms),
        "unmarked": json.dumps(totals.unmarked),
    }


def _totals_from(stored: Mapping[str, str]) -> Totals:
    marked_at = stored["marked_at_ms"]
    return Totals(
        account=stored["account"],
        quote=stored["quote"],
        fees={asset: to_decimal(fee) for asset, fee in json.loads(stored["fees"]).items()},
        updated_at=datetime.fromisoformat(stored["updated_at"]),
        marked_at_ms=int(marked_at) if marked_at else None,
        unmarked=json.loads(stored["unmarked"]),
        **{name: to_decimal(stored[name]) for name in _NUMBERS},
    )
