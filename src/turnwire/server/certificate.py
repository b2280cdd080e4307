"""The certificate of a running server: read again when asked, and watched."""

import asyncio
import logging
import ssl
import time

from turnwire.server.settings import Settings, SettingsError
from turnwire.server.tls import TlsError, tls_of

DAY_SECONDS = 24 * 60 * 60.0

logger = logging.getLogger(__name__)


class Certificate:
    """What a server speaks TLS with, if with anything.

    Raises `TlsError`, and `SettingsError` if there is no folder for one of its own.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.tls = tls_of(settings, now=time.time())

    def context(self) -> ssl.SSLContext:
        assert self.tls is not None
        return self.tls.context

    def read_again(self) -> None:
        if self.tls is None:
            logger.info("SIGHUP has the certificate read again; this server has none")
            return
        try:
            self.tls = tls_of(self._settings, now=time.time()) or self.tls
        except (SettingsError, TlsError) as error:
            logger.error("%s The certificate read before stays in use.", error)
        else:
            logger.info("the certificate and its key were read again")

    async def watch(self) -> None:
        """Say every day what clients have against it. Never ends."""
        while True:
            if self.tls is not None and (problem := self.tls.problem(time.time())):
                logger.warning(problem)
            await asyncio.sleep(DAY_SECONDS)
