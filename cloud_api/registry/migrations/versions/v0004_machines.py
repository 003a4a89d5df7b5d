"""Which machine used an invitation: it may ask again when the answer was lost."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; who had used an invitation before is not known, and cannot use it again."""
    op.add_column("invitation", sa.Column("machine", sa.String(64)))
