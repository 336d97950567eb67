"""The key ring: when a key is published, when it signs, when it goes.

The keys of one algorithm are a line; each follows the one before it. No state is stored: the moments of a key say what
it is, so that processes that have read them agree, also while the database is away.

    state      while                                published   signs
    ---------  -----------------------------------  ----------  -----
    upcoming   now < signs_from                     yes         no
    active     signs_from <= now < signs_until      yes         yes
    retiring   signs_until <= now < gone_at         yes         no
    gone       gone_at <= now                       no          no
    revoked    revoked_at is set                    no          no

The last key of a line has no `signs_until`: it signs until it has a successor, whose `signs_from` it then gets, and
`gone_at` is `linger_s` later. What happens to the last key K, and from when its successor N signs:

    what                     K is        N signs from
    -----------------------  ----------  -------------------------------------------------------------------
    first key of a line      not there   now, where nobody can have fetched a key set yet; else now + ahead_s
    K signs for rotation_s   active      K.signs_from + rotation_s, but not before now + ahead_s
    nobody asks for it       active      no N: K signs no more
    nobody asks for it       upcoming    nothing happens
    rotate                   active      now + ahead_s
    rotate                   upcoming    K itself is the next one: nothing happens
    rotate now               active      now + SEEN_S
    rotate now               upcoming    no N: K signs from now + SEEN_S
    revoke K                 active      now
    revoke K                 upcoming    no N: the key before K goes on; where there is none, now + ahead_s
    revoke the one before K  active      no N: K signs from now
    revoke                   retiring    no N: nobody follows sooner

The refresh tokens have a line of their own, whose keys make MACs and are never published; `ahead_s` is there for the
processes of the server only, and its first key is used at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

#: What access tokens are signed with unless their resource server asks for another.
DEFAULT_ALGORITHM: Final = "ES256"
#: What a client may have its ID tokens signed with; the first is the default of OpenID Connect.
ID_TOKEN_ALGORITHMS: Final = ("RS256", "ES256")
#: What a resource server may ask for.
SIGNING_ALGORITHMS: Final = (DEFAULT_ALGORITHM, "RS256", "PS256", "EdDSA")
#: The line of the refresh tokens.
REFRESH_ALGORITHM: Final = "HS256"
#: Seconds within which every process that reaches the database has seen a change.
SEEN_S: Final = 5


class KeyState(StrEnum):
    """What a key is at one moment."""

    UPCOMING = "upcoming"
    ACTIVE = "active"
    RETIRING = "retiring"
    GONE = "gone"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. Moments are NumericDate seconds of the database's clock.

    Attributes:
        holder: who has the private part: this database, sealed, or a device beside it.
        public: its public JWK; empty for a key that is never published.
        sealed: its private JWK under the installation's secret key; empty where a device has it.
    """

    kid: str
    algorithm: str
    holder: str
    public: Mapping[str, Any]
    sealed: bytes
    created_at: int
    signs_from: int
    signs_until: int | None = None
    gone_at: int | None = None
    revoked_at: int | None = None

    def state(self, now: float) -> KeyState:
        """What the table says."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.gone_at is not None and now >= self.gone_at:
            return KeyState.GONE
        if self.signs_until is not None and now >= self.signs_until:
            return KeyState.RETIRING
        return KeyState.ACTIVE if now >= self.signs_from else KeyState.UPCOMING

    def is_live(self, now: float) -> bool:
        """Whether what it signs or has signed is believed."""
        return self.state(now) not in (KeyState.GONE, KeyState.REVOKED)


@dataclass(frozen=True, slots=True)
class Lives:
    """How the keys of a line follow one another, in seconds.

    Attributes:
        rotation_s: how long a key signs.
        ahead_s: how long it is known before it signs.
        linger_s: how long it is known after it has signed.
    """

    rotation_s: int
    ahead_s: int
    linger_s: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision asks for: keys whose moments are others now, and a new key that signs from then on."""

    saved: tuple[Key, ...] = ()
    new_signs_from: int | None = None


NOTHING: Final = Change()


def signing_key(keys: Sequence[Key], algorithm: str, now: float) -> Key | None:
    """The key of a line that signs at `now`."""
    active = [key for key in keys if key.algorithm == algorithm and key.state(now) is KeyState.ACTIVE]
    return max(active, key=lambda key: key.signs_from, default=None)


def keep_up(keys: Sequence[Key], algorithm: str, *, now: int, lives: Lives) -> Change:
    """What the schedule asks for at `now`: a first key, or the next one in good time before it signs."""
    last = _last(keys, algorithm)
    if last is None:
        return Change(new_signs_from=now if _signs_at_once(keys, algorithm, now) else now + lives.ahead_s)
    due_at = last.signs_from + lives.rotation_s - lives.ahead_s
    if last.state(now) is KeyState.UPCOMING or now < due_at:
        return NOTHING
    return _succeeded(last, max(last.signs_from + lives.rotation_s, now + lives.ahead_s), lives)


def let_go(keys: Sequence[Key], algorithm: str, *, now: int, lives: Lives) -> Change:
    """What becomes of a line whose algorithm nobody asks for any more."""
    last = _last(keys, algorithm)
    if last is None or last.state(now) is KeyState.UPCOMING:
        return NOTHING
    return Change(_succeeded(last, now, lives).saved)


def rotate(keys: Sequence[Key], algorithm: str, *, now: int, lives: Lives) -> Change:
    """What an operator asks for who wants another key, published before it signs."""
    last = _last(keys, algorithm)
    if last is None:
        return keep_up(keys, algorithm, now=now, lives=lives)
    if last.state(now) is KeyState.UPCOMING:
        return NOTHING
    return _succeeded(last, now + lives.ahead_s, lives)


def rotate_now(keys: Sequence[Key], algorithm: str, *, now: int, lives: Lives) -> Change:
    """What an operator asks for who cannot wait: another key signs once every process has seen it."""
    last, at = _last(keys, algorithm), now + SEEN_S
    if last is None:
        return Change(new_signs_from=at)
    if last.state(now) is not KeyState.UPCOMING:
        return _succeeded(last, at, lives)
    return _brought_forward(keys, last, at, lives) if last.signs_from > at else NOTHING


def revoke(keys: Sequence[Key], key: Key, *, now: int, lives: Lives) -> Change:
    """What an operator asks for whose key was stolen: out of the key set at once, and another one signs."""
    state = key.state(now)
    if state in (KeyState.GONE, KeyState.REVOKED):
        return NOTHING
    revoked = replace(key, signs_until=min(now, key.signs_until or now), gone_at=now, revoked_at=now)
    if state is KeyState.RETIRING:
        return Change((revoked,))
    if state is KeyState.UPCOMING:
        before = _before(keys, key)
        if before is None:
            return Change((revoked,), now + lives.ahead_s)
        return Change((revoked, replace(before, signs_until=None, gone_at=None)))
    last = _last(keys, key.algorithm)
    if last is None or last.kid == key.kid:
        return Change((revoked,), now)
    return Change((revoked, replace(last, signs_from=now)))


def inherits_refresh_key(keys: Sequence[Key], now: int) -> bool:
    """Whether a version was at work here that derived the key of refresh tokens and kept none."""
    return bool(keys) and not _is_new(keys, now) and _last(keys, REFRESH_ALGORITHM) is None


def _last(keys: Sequence[Key], algorithm: str) -> Key | None:
    return next((key for key in keys if key.algorithm == algorithm and key.signs_until is None), None)


def _before(keys: Sequence[Key], key: Key) -> Key | None:
    line = (one for one in keys if one.algorithm == key.algorithm and one.revoked_at is None)
    return next((one for one in line if one.signs_until == key.signs_from), None)


def _signs_at_once(keys: Sequence[Key], algorithm: str, now: int) -> bool:
    return algorithm == REFRESH_ALGORITHM or _is_new(keys, now)


def _is_new(keys: Sequence[Key], now: int) -> bool:
    """Whether nobody can have fetched a key set yet that is worth waiting for."""
    return all(now - key.created_at <= SEEN_S for key in keys if key.algorithm != REFRESH_ALGORITHM)


def _succeeded(key: Key, at: int, lives: Lives) -> Change:
    return Change((replace(key, signs_until=at, gone_at=at + lives.linger_s),), at)


def _brought_forward(keys: Sequence[Key], key: Key, at: int, lives: Lives) -> Change:
    before = _before(keys, key)
    saved = () if before is None else _succeeded(before, at, lives).saved
    return Change((*saved, replace(key, signs_from=at)))
