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
    # The other standard claims of OpenID Connect Core section 5.1, by their names.
    Column("claims", JSON, nullable=False, server_default="{}"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger),
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
    # When the password was last asked for; the browser's cookie is kept as its digest.
    Column("authenticated_at", BigInteger, nullable=False),
    Column("cookie_digest", LargeBinary, unique=True),
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
    # Whom the client knows the user as, where that is not the user's id; and what it asked for by `claims`.
    Column("subject", Text),
    Column("claims", JSON),
    Column("auth_time", BigInteger, nullable=False),
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

clients: Final = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("secret_hash", Text),
    # Under the names of RFC 7591 and of OpenID Connect Dynamic Client Registration.
    Column("members", JSON, nullable=False),
    # What is asked of all clients at once, beside the members.
    Column("id_token_signed_response_alg", Text, nullable=False),
    Column("backchannel_logout_uri", Text),
    Column("created_at", BigInteger, nullable=False),
)

codes: Final = Table(
    "codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("subject", Text),
    Column("redirect_uri", Text, nullable=False),
    Column("code_challenge", Text),
    Column("nonce", Text),
    Column("scope", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("claims", JSON),
    Column("auth_time", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("redeemed_at", BigInteger),
    # What its first use began: a second use ends it.
    Column("family_id", Text),
)
Index(None, codes.c.session_id)
Index(None, codes.c.expires_at)

consents: Final = Table(
    "consents",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", Text, primary_key=True),
    # Where the answer goes, as the user was shown it.
    Column("destination", Text, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("granted_at", BigInteger, nullable=False),
)

# Pairwise subject identifiers (OpenID Connect Core section 8.1), drawn once and kept.
subjects: Final = Table(
    "subjects",
    metadata,
    Column("sector", Text, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", Text, nullable=False, unique=True),
)

# Client assertions that were used: each is good for once (RFC 7523 section 3).
assertions: Final = Table(
    "assertions",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("jti_digest", LargeBinary, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
)
Index(None, assertions.c.expires_at)

# Access tokens that were revoked before their end (RFC 7009).
revoked_tokens: Final = Table(
    "revoked_tokens",
    metadata,
    Column("jti", Text, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
)
Index(None, revoked_tokens.c.expires_at)

# Back-channel logout: who is still to be told that a session is over.
logout_deliveries: Final = Table(
    "logout_deliveries",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("client_id", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("tries", SmallInteger, nullable=False),
)
Index(None, logout_deliveries.c.due_at)

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
