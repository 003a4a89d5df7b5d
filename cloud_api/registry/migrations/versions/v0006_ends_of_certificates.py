"""When the certificate ends that an enrolled gateway was given; of those before it is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("invitation", sa.Column("certificate_ends_at", sa.DateTime(timezone=True)))
