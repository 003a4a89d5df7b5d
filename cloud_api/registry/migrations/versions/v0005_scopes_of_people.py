"""What people may do once they are signed in; until now all of them were technicians."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column of scopes."""
    op.add_column("person", sa.Column("scopes", sa.JSON, nullable=False, server_default='["provision"]'))
