"""Limits on guessing, the devices they do not keep out, periodic jobs, and what the sweep looks for.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "devices",
        sa.Column(
            "user_id",
            sa.Text,
            sa.ForeignKey("users.id", name="fk_devices_user_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("instance_digest", sa.LargeBinary, primary_key=True),
        sa.Column("signed_in_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_devices_signed_in_at", "devices", ["signed_in_at"])
    op.create_table(
        "limits",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("paid_until", sa.Double, nullable=False),
        sa.Column("interval_s", sa.Double, nullable=False),
        sa.Column("tolerance_s", sa.Double, nullable=False),
    )
    op.create_index("ix_limits_paid_until", "limits", ["paid_until"])
    op.create_table(
        "jobs",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("due_at", sa.BigInteger, nullable=False),
    )
