"""Events that the office named: every edition, only added to."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER office_event_no_{verb.lower()} BEFORE {verb} ON office_event"
        " BEGIN SELECT RAISE(ABORT, 'editions of events are only added to'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE FUNCTION office_event_refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'editions of events are only added to'; END $$",
        "CREATE TRIGGER office_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON office_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION office_event_refuse()",
    ],
}


def upgrade() -> None:
    """Make the table of editions."""
    op.create_table(
        "office_event",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("body", sa.JSON),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
