"""Provisioning: radio keys, invitations of gateways, sign-ins, records of acceptance, photos."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of provisioning."""
    op.create_table(
        "radio_keys",
        sa.Column("address", sa.String(128), primary_key=True),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table("invitation", *_once("gateway"))
    op.create_table("sign_in", *_once("person"))
    op.create_table(
        "acceptance",
        sa.Column("id", sa.String(16), primary_key=True),
        *_of_a_sensor(),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("signature", sa.String(200), nullable=False),
    )
    op.create_table(
        "photo",
        sa.Column("id", sa.String(16), primary_key=True),
        *_of_a_sensor(),
        sa.Column("media_type", sa.String(40), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def _once(whose: str) -> Sequence[sa.Column[object]]:
    """A secret that is good for one use."""
    return (
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column(whose, sa.String(63), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
    )


def _of_a_sensor() -> Sequence[sa.Column[object]]:
    """What was done where, when and by whom."""
    return (
        sa.Column("device", sa.String(128), nullable=False),
        sa.Column("place", sa.String(63), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
    )
