"""Whether a client may begin, found out in time."""

import asyncio
from collections.abc import Callable

from turnwire.accounts.admission import Grant
from turnwire.accounts.credentials import UNKNOWN_CREDENTIAL
from turnwire.server.leases import Leased, Leases
from turnwire.server.wrong_keys import WrongKeys
from turnwire.transport.notices import Notices
from turnwire.wire.closure import Violation
from turnwire.wire.closures import INTERNAL_ERROR, MISSING_AUTHORIZATION, UNAUTHORIZED

TICK_SECONDS = 0.25
"""Time is counted in these: a server that gets no CPU itself does not blame its store."""

SILENCE_TICKS = 8
"""How long a client waits for a store that answers nothing, whoever asks: two seconds."""

ADMISSION_TICKS = 40
"""How long a client waits for a store that has much else to answer."""

MOST_UNANSWERED = 256
"""How many questions that the store did not answer in time may still be with it. As long as there
are so many, it is not asked at all."""


class Admission:
    """Asks for leases on behalf of clients."""

    def __init__(self, leases: Leases, wrong_keys: WrongKeys, notices: Notices) -> None:
        self._leases = leases
        self._wrong_keys = wrong_keys
        self._notices = notices
        self._unanswered: set[asyncio.Task[None]] = set()

    async def admit(
        self,
        session: Leased,
        credential: str | None,
        *,
        address: str,
        check: Callable[[], None],
    ) -> Grant:
        """Admit a client; see `Registry.begin`, also for `check`.

        Raises TimeoutError if the store does not answer in time; should it say yes later, the
        session's entry is closed.
        """
        if len(self._unanswered) >= MOST_UNANSWERED:
            raise TimeoutError("the store has too many questions to answer")
        asking = asyncio.create_task(self._leases.begin(session, credential, check=check))
        try:
            await self._answer(asking)
        finally:
            if not asking.done():
                undoing = asyncio.create_task(self._undo(session, asking))
                self._unanswered.add(undoing)
                undoing.add_done_callback(self._unanswered.discard)
        if not asking.done():
            self._notices.warn("the store does not say in time whether clients may begin")
            raise TimeoutError("the store did not answer in time")
        try:
            return asking.result()
        except Violation as refusal:
            if refusal.closure.row in (UNAUTHORIZED, MISSING_AUTHORIZATION):
                if refusal.closure == UNKNOWN_CREDENTIAL:
                    self._wrong_keys.note(address)
                await self._wrong_keys.slow_down(address)
            raise

    async def _answer(self, asking: asyncio.Task[Grant]) -> None:
        """Wait for the answer, as long as the store answers anything."""
        silent, answers = 0, self._leases.answers
        for _ in range(ADMISSION_TICKS):
            await asyncio.wait({asking}, timeout=TICK_SECONDS)
            if asking.done():
                return
            silent = silent + 1 if self._leases.answers == answers else 0
            answers = self._leases.answers
            if silent == SILENCE_TICKS:
                return

    async def aclose(self) -> None:
        """Wait for the answers that came too late."""
        await asyncio.gather(*self._unanswered)

    async def _undo(self, session: Leased, asking: asyncio.Task[Grant]) -> None:
        try:
            await asking
        except Exception:
            return  # Nothing was kept.
        await self._leases.end(session, INTERNAL_ERROR.fill())
