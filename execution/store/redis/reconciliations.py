"""The state of reconciliations in Redis. See ReconciliationStore."""

from execution.positions.balance_sheet import BalanceSheet
from execution.reconciliation.run import Reconciliation, Reread
from execution.store.access import keys
from execution.store.access.connection import RedisStore, guarded
from execution.text.json_adapter import JsonAdapter

_SHEET = JsonAdapter(BalanceSheet)
_RUN = JsonAdapter(Reconciliation)
_REREAD = JsonAdapter(Reread)
READ_MAX = 10_000


class RedisReconciliations(RedisStore):
    """Cursors, balance sheets, and the record of runs."""

    @guarded
    def cursor(self, account: str, symbol: str) -> str | None:
        cursor: str | None = self._redis.hget(keys.cursors(account), symbol)
        return cursor

    @guarded
    def set_cursor(self, account: str, symbol: str, trade_id: str, sheet: BalanceSheet) -> None:
        pipe = self._redis.pipeline(transaction=True)
        pipe.hset(keys.cursors(account), symbol, trade_id)
        pipe.set(keys.balances(account), _SHEET.dump_json(sheet, by_alias=True))
        pipe.execute()

    @guarded
    def symbols_read(self, account: str) -> list[str]:
        return sorted(self._redis.hkeys(keys.cursors(account)))

    @guarded
    def reread(self, account: str) -> Reread | None:
        text = self._redis.get(keys.reread(account))
        return None if text is None else _REREAD.validate_json(text)

    @guarded
    def set_reread(self, account: str, reread: Reread | None) -> None:
        if reread is None:
            self._redis.delete(keys.reread(account))
        else:
            self._redis.set(keys.reread(account), _REREAD.dump_json(reread))

    @guarded
    def sheet(self, account: str) -> BalanceSheet:
        text = self._redis.get(keys.balances(account))
        return BalanceSheet() if text is None else _SHEET.validate_json(text)

    @guarded
    def set_sheet(self, account: str, sheet: BalanceSheet) -> None:
        self._redis.set(keys.balances(account), _SHEET.dump_json(sheet, by_alias=True))

    @guarded
    def add_run(self, run: Reconciliation) -> None:
        fields = {"account": run.account, "run": _RUN.dump_json(run)}
        self._redis.xadd(keys.RUNS, fields, maxlen=keys.RUNS_MAX, approximate=True)

    @guarded
    def runs(self, count: int, account: str | None = None) -> list[Reconciliation]:
        # The runs of one account are among those of the others.
        read = count if account is None else READ_MAX
        entries = self._redis.xrevrange(keys.RUNS, count=read)
        wanted = [e["run"] for _, e in entries if account in (None, e["account"])]
        return [_RUN.validate_json(text) for text in wanted[:count]]
