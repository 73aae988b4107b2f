"""When the signal of an order was published."""

from alembic import op
from sqlalchemy import Column

from execution.ledger.sql.columns import UtcTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("orders", Column("published_at", UtcTime))
    op.execute("UPDATE schema_version SET version = 2")
