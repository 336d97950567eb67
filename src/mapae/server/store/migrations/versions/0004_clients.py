"""Clients, codes and consents; browser sessions; who is told of a log-out.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("claims", sa.JSON, nullable=False, server_default="{}"))
    op.add_column("users", sa.Column("updated_at", sa.BigInteger))
    _browser_sessions()
    _clients()
    _codes()
    _used_up()
    op.create_table(
        "logout_deliveries",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
    )
    op.create_index("ix_logout_deliveries_due_at", "logout_deliveries", ["due_at"])


def _browser_sessions() -> None:
    op.add_column("sessions", sa.Column("authenticated_at", sa.BigInteger))
    op.add_column("sessions", sa.Column("cookie_digest", sa.LargeBinary))
    op.add_column("families", sa.Column("subject", sa.Text))
    op.add_column("families", sa.Column("claims", sa.JSON))
    op.add_column("families", sa.Column("auth_time", sa.BigInteger))
    # What there was until now: sessions that began with the one time the password was asked for.
    op.execute("UPDATE sessions SET authenticated_at = created_at")
    op.execute(
        "UPDATE families SET auth_time = (SELECT created_at FROM sessions WHERE sessions.id = session_id)"
    )
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column("authenticated_at", existing_type=sa.BigInteger, nullable=False)
        sessions.create_unique_constraint("uq_sessions_cookie_digest", ["cookie_digest"])
    with op.batch_alter_table("families") as families:
        families.alter_column("auth_time", existing_type=sa.BigInteger, nullable=False)


def _clients() -> None:
    op.create_table(
        "clients",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("secret_hash", sa.Text),
        sa.Column("members", sa.JSON, nullable=False),
        sa.Column("id_token_signed_response_alg", sa.Text, nullable=False),
        sa.Column("backchannel_logout_uri", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "consents",
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("destination", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "subjects",
        sa.Column("sector", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False, unique=True),
    )


def _codes() -> None:
    op.create_table(
        "codes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("code_challenge", sa.Text),
        sa.Column("nonce", sa.Text),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("audience", sa.Text, nullable=False),
        sa.Column("claims", sa.JSON),
        sa.Column("auth_time", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("redeemed_at", sa.BigInteger),
        sa.Column("family_id", sa.Text),
    )
    op.create_index("ix_codes_session_id", "codes", ["session_id"])
    op.create_index("ix_codes_expires_at", "codes", ["expires_at"])


def _used_up() -> None:
    op.create_table(
        "assertions",
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("jti_digest", sa.LargeBinary, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_assertions_expires_at", "assertions", ["expires_at"])
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_revoked_tokens_expires_at", "revoked_tokens", ["expires_at"])
