"""Signing keys become a ring, and resource servers may ask for an algorithm.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("uq_keys_active_algorithm", "keys")
    with op.batch_alter_table("keys") as keys:
        keys.add_column(sa.Column("holder", sa.Text))
        keys.add_column(sa.Column("signs_from", sa.BigInteger))
        keys.add_column(sa.Column("signs_until", sa.BigInteger))
        keys.add_column(sa.Column("gone_at", sa.BigInteger))
        keys.add_column(sa.Column("revoked_at", sa.BigInteger))
    # What there was until now: one key of an algorithm, which signs.
    op.execute("UPDATE keys SET holder = 'database', signs_from = created_at")
    with op.batch_alter_table("keys") as keys:
        keys.alter_column("holder", existing_type=sa.Text, nullable=False)
        keys.alter_column("signs_from", existing_type=sa.BigInteger, nullable=False)
        keys.drop_column("active")
    op.create_index(
        "uq_keys_last_algorithm",
        "keys",
        ["algorithm"],
        unique=True,
        postgresql_where=sa.text("signs_until IS NULL"),
        sqlite_where=sa.text("signs_until IS NULL"),
    )
    op.add_column(
        "resource_servers", sa.Column("signing_alg", sa.Text, nullable=False, server_default="ES256")
    )
