"""Every table of the store. Moments are NumericDate seconds of the database's clock."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

users: Final = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("username", Text, nullable=False),
    # NFKC and case-folded: what names are compared by.
    Column("username_key", Text, nullable=False, unique=True),
    Column("password_hash", Text),
    Column("roles", JSON, nullable=False),
    Column("email", Text),
    Column("email_verified", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

resource_servers: Final = Table(
    "resource_servers",
    metadata,
    Column("audience", Text, primary_key=True),
    # The order of the set-up: the first one is what a sign-in without a scope means.
    Column("position", Integer, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("signing_alg", Text, nullable=False, server_default="ES256"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("client_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("device_name", Text),
    Column("address", Text),
    Column("user_agent", Text),
    Column("ended_at", BigInteger),
    Column("ended_reason", Text),
)
Index(None, sessions.c.user_id)
# What the sweep looks for.
Index(None, sessions.c.expires_at)

families: Final = Table(
    "families",
    metadata,
    Column("id", Text, primary_key=True),
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("client_id", Text, nullable=False),
    Column("first_party", Boolean, nullable=False),
    Column("binder_kind", Text, nullable=False),
    Column("binder_digest", LargeBinary),
    Column("audience", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    # From here on: what a turn writes. No index names any of it, so a turn is a heap-only update.
    Column("used_at", BigInteger, nullable=False),
    Column("turn", BigInteger, nullable=False),
    Column("handed_out_at", BigInteger, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("late_replays", Integer, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("uses_attempts", Boolean, nullable=False),
    Column("attempt_digest", LargeBinary),
    Column("address", Text),
    Column("user_agent", Text),
    Column("ended_at", BigInteger),
    Column("ended_reason", Text),
    # Room on each page for the next version of a row.
    postgresql_with={"fillfactor": 70},
)
Index(None, families.c.session_id)

devices: Final = Table(
    "devices",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("instance_digest", LargeBinary, primary_key=True),
    Column("signed_in_at", BigInteger, nullable=False),
)
Index(None, devices.c.signed_in_at)

limits: Final = Table(
    "limits",
    metadata,
    Column("key", Text, primary_key=True),
    # NumericDate seconds with a fraction: see domain/limits.
    Column("paid_until", Double, nullable=False),
    Column("interval_s", Double, nullable=False),
    Column("tolerance_s", Double, nullable=False),
)
Index(None, limits.c.paid_until)

jobs: Final = Table(
    "jobs",
    metadata,
    Column("name", Text, primary_key=True),
    # Nobody runs it before this moment: the pause between two runs, and the lock of a run under way.
    Column("due_at", BigInteger, nullable=False),
)

keys: Final = Table(
    "keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("public", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    # The moments that say what a key is: see domain/keys.
    Column("signs_from", BigInteger, nullable=False),
    Column("signs_until", BigInteger),
    Column("gone_at", BigInteger),
    Column("revoked_at", BigInteger),
)
# A line has one last key: two processes that find a rotation due make one key, not two.
Index(
    "uq_keys_last_algorithm",
    keys.c.algorithm,
    unique=True,
    postgresql_where=text("signs_until IS NULL"),
    sqlite_where=text("signs_until IS NULL"),
)

events: Final = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("members", JSON, nullable=False),
)
Index(None, events.c.at)
