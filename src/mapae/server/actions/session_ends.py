"""Sessions that a unit of work ended, told in the audit trail."""

from collections.abc import Iterable

from mapae.server.domain.caller import Caller
from mapae.server.domain.events import SessionEnded
from mapae.server.domain.sessions import EndReason
from mapae.server.store.unit import Unit

#: Who ends a session when no request does: an operator, a limit.
NOBODY = Caller()


def record_ends(
    unit: Unit, session_ids: Iterable[str], *, user_id: str, reason: EndReason, caller: Caller = NOBODY
) -> None:
    """Have an event saved for each of these sessions of one user."""
    unit.record(
        *(
            SessionEnded(user_id, session_id, reason, caller.address, caller.user_agent)
            for session_id in session_ids
        )
    )
