"""The tables of release 0.1.0, as they were first."""

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text

from execution.ledger.sql.columns import ExactNumber, PlainText, UtcTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables that are not there: of a damaged ledger, some may be."""
    schema_version = op.create_table(
        "schema_version",
        Column("version", Integer, primary_key=True, autoincrement=False),
        if_not_exists=True,
    )
    op.bulk_insert(schema_version, [{"version": 1}])
    op.create_table(
        "notes",
        Column("name", PlainText, primary_key=True),
        Column("text", Text, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "orders",
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
        if_not_exists=True,
    )
    op.create_table(
        "attempts",
        Column("order_id", PlainText, primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("stamp_ms", BigInteger, primary_key=True, autoincrement=False),
        Column("valid_until_ms", BigInteger, nullable=False),
        Column("provable_at_ms", BigInteger, nullable=False),
        Column("verdict", PlainText),
        Column("reason", PlainText),
        if_not_exists=True,
    )
    op.create_table(
        "fills",
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
        if_not_exists=True,
    )
    op.create_table(
        "snapshots",
        Column("time", UtcTime, primary_key=True),
        Column("account", PlainText, primary_key=True),
        Column("quote", PlainText, primary_key=True),
        Column("realised_pnl", ExactNumber, nullable=False),
        Column("unrealised_pnl", ExactNumber, nullable=False),
        Column("exposure", ExactNumber, nullable=False),
        if_not_exists=True,
    )
    for name, table, columns in (
        ("orders_by_exchange_id", "orders", ["account", "symbol", "exchange_order_id"]),
        ("orders_by_creation", "orders", ["created_at", "order_id"]),
        ("orders_by_change", "orders", ["updated_at"]),
        ("fills_by_order", "fills", ["order_id"]),
        (
            "fills_by_sequence",
            "fills",
            ["account", "symbol", "sequence", "time", "trade_id", "side"],
        ),
    ):
        op.create_index(name, table, columns, if_not_exists=True)
