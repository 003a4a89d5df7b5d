"""The last line of a kind is found in the audit trail without reading all of it, be there one or not."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("audit_kind", "audit", ["kind", "number"])
