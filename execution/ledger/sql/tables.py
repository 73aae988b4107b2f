"""The ledger's tables, which users may query, too.

Every change needs a migration (migrations/versions), and a new REVISION in schema.py.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text

from execution.ledger.sql.columns import ExactNumber, PlainText, UtcTime

metadata = MetaData()

# One row, for release 0.1.0, which reads no other: it refuses a number that it does not know. So
# each migration that changes the tables raises it.
schema_version = Table(
    "schema_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False)
)

# Single values by name, as text.
notes = Table(
    "notes",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("text", Text, nullable=False),
)

# The newest state of each order. `doc` is the whole order as JSON; the other columns are for
# queries.
orders = Table(
    "orders",
    metadata,
    Column("order_id", PlainText, primary_key=True),
    Column("signal_id", PlainText, nullable=False),
    Column("account", PlainText, nullable=False),
    Column("symbol", PlainText, nullable=False),
    Column("side", PlainText, nullable=False),
    Column("type", PlainText, nullable=False),
    Column("time_in_force", PlainText),
    Column("amount", ExactNumber, nullable=False),
    Column("price", ExactNumber),
    Column("client_order_id", PlainText, nullable=False),
    # When the signal was published; not known of orders that were written by earlier releases.
    Column("published_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("strategy", PlainText),
    Column("reference_price", ExactNumber),
    Column("state", PlainText, nullable=False),
    Column("reason", PlainText),
    Column("exchange_order_id", PlainText),
    Column("filled", ExactNumber, nullable=False),
    Column("average", ExactNumber),
    Column("cancel_requested", Boolean, nullable=False),
    Column("entry_id", PlainText),
    Column("version", BigInteger, nullable=False),
    Column("revision", PlainText, nullable=False),
    Column("doc", Text, nullable=False),
    Index("orders_by_exchange_id", "account", "symbol", "exchange_order_id"),
    Index("orders_by_creation", "created_at", "order_id"),
    Index("orders_by_change", "updated_at"),
)

# Every attempt that was ever written, including those that a later state of the order lacks.
attempts = Table(
    "attempts",
    metadata,
    Column("order_id", PlainText, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("stamp_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("valid_until_ms", BigInteger, nullable=False),
    Column("provable_at_ms", BigInteger, nullable=False),
    Column("verdict", PlainText),
    Column("reason", PlainText),
)

# Every trade that was ever written, once for its account, symbol and side: a trade with oneself has
# two sides. `fees` is a JSON object, asset to decimal string.
fills = Table(
    "fills",
    metadata,
    Column("account", PlainText, primary_key=True),
    Column("symbol", PlainText, primary_key=True),
    Column("trade_id", PlainText, primary_key=True),
    Column("side", PlainText, primary_key=True),
    Column("order_id", PlainText, nullable=False),
    Column("exchange_order_id", PlainText),
    Column("price", ExactNumber, nullable=False),
    Column("amount", ExactNumber, nullable=False),
    Column("fees", Text, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Index("fills_by_order", "order_id"),
    Index("fills_by_sequence", "account", "symbol", "sequence", "time", "trade_id", "side"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("time", UtcTime, primary_key=True),
    Column("account", PlainText, primary_key=True),
    Column("quote", PlainText, primary_key=True),
    Column("realised_pnl", ExactNumber, nullable=False),
    Column("unrealised_pnl", ExactNumber, nullable=False),
    Column("exposure", ExactNumber, nullable=False),
)
