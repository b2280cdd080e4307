"""A server with a console, in a thread of its own, and a browser that is signed in there."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import insert
from websockets.sync.client import ClientConnection, connect

from tests.support import Server, serving
from turnwire.accounts.admin_keys import AdminKeys
from turnwire.accounts.store import Store
from turnwire.accounts.tables import Entry
from turnwire.admin.extension import admin
from turnwire.webhooks.api import deliveries

T = TypeVar("T")


class ConsoleServer:
    """A server, seen from the thread of a test."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, admin_key: str) -> None:
        self.admin_key = admin_key
        self.key = server.key
        self.url = server.url
        self.store: Store = server.store
        self._loop = loop

    @property
    def page(self) -> str:
        """The address of its console."""
        return f"{self.url.replace('ws', 'http', 1)}/console"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Have this done by the server's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def connect(self, key: str, *, client: str = "test") -> ClientConnection:
        return connect(
            f"{self.url}/v3/ws?sample_rate=16000",
            additional_headers={"Authorization": key},
            user_agent_header=client,
            proxy=None,
        )

    def enter_sessions(self, account: int, number: int, closure: Callable[[int], str]) -> None:
        """Sessions of an account that have ended, a minute after the other."""
        self.run(self._enter_sessions(account, number, closure))

    async def _enter_sessions(
        self, account: int, number: int, closure: Callable[[int], str]
    ) -> None:
        async with self.store.database.begin() as db:
            now = await self.store.database.now(db)
            await db.execute(
                insert(Entry),
                [
                    {
                        "id": f"{account}-{place}",
                        "account_id": account,
                        "node": "test",
                        "begun_at": now - 60 * place - 30,
                        "renewed_at": now - 60 * place,
                        "ended_at": now - 60 * place,
                        "closure": closure(place),
                        "audio_ms": 20_000,
                        "session_ms": 30_000,
                        "billed_ms": 30_000,
                    }
                    for place in range(number)
                ],
            )


@contextmanager
def console_server(port: int = 0, root_path: str = "") -> Iterator[ConsoleServer]:
    started: Future[ConsoleServer] = Future()
    stop = asyncio.Event()

    async def serve() -> None:
        extend = [admin(also=[deliveries])]
        async with serving(extend=extend, port=port, rehearse=True, root_path=root_path) as server:
            _, key = await AdminKeys(server.store.database).create("test")
            started.set_result(ConsoleServer(server, asyncio.get_running_loop(), key))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="turnwire")
    thread.start()
    server = started.result()
    try:
        yield server
    finally:
        server._loop.call_soon_threadsafe(stop.set)
        thread.join()


def signed_in(context: BrowserContext, server: ConsoleServer, view: str = "sessions") -> Page:
    """The console in a new tab."""
    page = context.new_page()
    page.goto(f"{server.page}#/{view}")
    page.fill("#admin-key", server.admin_key)
    page.keyboard.press("Enter")
    expect(page.locator("#views")).to_be_visible()
    return page


def show(page: Page, view: str) -> None:
    """Go to a view, and wait until it is there."""
    page.evaluate("view => { location.hash = `#/${view}`; }", view)
    link = page.locator(f"#views [href='#/{view.partition('?')[0]}']")
    expect(link).to_have_attribute("aria-current", "page")
    expect(page.locator("main section")).to_have_attribute("aria-busy", "false")
