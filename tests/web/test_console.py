"""The console, in a real browser: what an operator sees and does there."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.web.accessibility import assert_usable
from tests.web.console import ConsoleServer, console_server, show, signed_in
from turnwire.webhooks.deliveries import Deliveries, Parcel, PostResult
from turnwire.wire import closures

VIEWS = (
    *("sessions", "history?account=default", "closures", "usage", "accounts", "keys", "server"),
    "deliveries",
)

HOSTILE = "<img src=x onerror=document.title='owned'>"

MANY = 10_000

expect.set_options(timeout=15_000.0)


@pytest.fixture(scope="module")
def server() -> Iterator[ConsoleServer]:
    """With an account of many sessions, and one with a hostile name."""
    with console_server() as server:
        server.run(server.store.management.create_account("busy"))
        server.run(server.store.management.create_account(HOSTILE))
        names = [row.name for row in closures.CLOSURES]
        server.enter_sessions(2, MANY, lambda place: names[place % 12])
        yield server


@contextmanager
def watched(browser: Browser, **options: bool) -> Iterator[BrowserContext]:
    """Tabs that ask nothing of other servers, and in which no script fails."""
    hosts: set[str] = set()
    failures: list[str] = []
    with browser.new_context(**options) as context:  # type: ignore[arg-type]
        context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname or ""))
        context.on("weberror", lambda error: failures.append(str(error.error)))
        yield context
    assert hosts == {"127.0.0.1"}
    assert failures == []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with watched(browser) as context:
        yield context


def closing(socket: ClientConnection) -> tuple[int, str]:
    """Read on until the server closes."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            socket.recv(timeout=20)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def press(page: Page, row: str, button: str) -> None:
    page.locator("tr", has_text=row).get_by_role("button", name=button, exact=True).click()


def answer(page: Page, button: str) -> None:
    page.locator("dialog").get_by_role("button", name=button, exact=True).click()


def test_a_session_is_seen_while_it_lasts_and_ended_by_hand(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server)
    with server.connect(server.key, client=HOSTILE) as socket:
        row = page.locator("tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("default")
        expect(row).to_contain_text(HOSTILE)
        expect(row).to_contain_text("universal-streaming-multilingual")
        expect(page.locator("#load")).to_contain_text("Open sessions: 1 ·")
        show(page, "history?closure=open")
        expect(row).to_have_count(1)
        expect(row.get_by_role("button", name="End")).to_be_visible()
        show(page, "sessions")
        press(page, "default", "End")
        answer(page, "End it")
        expect(page.locator("#status")).to_contain_text("is being ended")
        code, reason = closing(socket)
    assert (code, reason.partition(":")[0]) == (1008, "Unauthorized Connection")
    expect(row).to_have_count(0)
    show(page, "history?account=default")
    page.locator("tbody summary", has_text=closures.ACCESS_ENDED.name).first.click()
    expect(page.get_by_text(closures.ACCESS_ENDED.meaning).first).to_be_visible()
    expect(page.get_by_text(closures.ACCESS_ENDED.advice).first).to_be_visible()


def test_a_key_is_made_and_revoked(context: BrowserContext, server: ConsoleServer) -> None:
    page = signed_in(context, server, "keys")
    page.click("text=Create a key")
    page.select_option("#field-account", "busy")
    page.fill("#field-name", "phone")
    answer(page, "Create")
    key = page.input_value("#new-key")
    answer(page, "Done")
    with server.connect(key) as socket:
        assert "Begin" in str(socket.recv())
    press(page, "phone", "Revoke")
    answer(page, "Revoke")
    expect(page.locator("#status")).to_have_text("The key was revoked.")
    with server.connect(key) as socket:
        assert closing(socket)[0] == 1008


def test_a_balance_is_topped_up_with_a_reason(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server, "accounts")
    page.click("text=Create an account")
    page.fill("#field-name", "prepaid")
    page.fill("#field-balance_seconds", "60")
    answer(page, "Create")
    press(page, "prepaid", "Top up")
    page.fill("#field-seconds", "3540")
    page.fill("#field-reason", "Invoice 12")
    answer(page, "Add")
    expect(page.locator("#status")).to_have_text("The balance of prepaid is 1:00:00 now.")
    expect(page.locator("tr", has_text="prepaid")).to_contain_text("1:00:00")
    press(page, "prepaid", "Top up")
    expect(page.locator("dialog tbody tr")).to_contain_text("Invoice 12")


def test_two_operators_do_not_overwrite_each_other(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server, "accounts")
    press(page, "busy", "Edit")
    server.run(server.store.management.update_account("busy", max_sessions=7))
    page.fill("#field-max_sessions", "9")
    page.fill("#field-sessions_per_minute", "50")
    server.run(server.store.management.update_account("busy", enabled=False))
    answer(page, "Save")
    expect(page.locator("dialog .error")).to_contain_text("Sessions at once is 7")
    answer(page, "Save")
    row = page.locator("tr", has_text="busy")
    expect(row.locator("[data-label='Sessions at once']")).to_have_text("9")
    expect(row.locator("[data-label='New a minute']")).to_have_text("50")
    expect(row.locator("[data-label='May open sessions']")).to_have_text("no")
    server.run(server.store.management.update_account("busy", enabled=True))


def test_what_cannot_be_done_is_told_in_a_sentence(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server, "accounts")
    page.click("text=Create an account")
    page.fill("#field-name", "default")
    answer(page, "Create")
    expect(page.locator("dialog .error")).to_contain_text("There is an account named default")


def test_a_long_history_is_paged_and_filtered(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server, "history?account=busy")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    page.click("text=Show more")
    expect(rows).to_have_count(100)
    page.select_option("#closure", closures.SESSION_ENDED.name)
    page.click("text=Filter")
    expect(rows).to_have_count(50)
    expect(rows.locator("summary", has_text="session_ended")).to_have_count(50)


def test_closures_are_explained_beside_their_chart(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server, "closures")
    expect(page.get_by_role("img", name="How sessions ended, last 24 hours")).to_be_visible()
    expect(page.locator(".plot canvas")).to_be_visible()
    legend = page.locator(".legend li", has_text=closures.INTERNAL_ERROR.name)
    legend.locator("summary").click()
    expect(legend).to_contain_text(closures.INTERNAL_ERROR.advice)
    page.click("text=The same as a table")
    expect(page.get_by_role("region", name="Closures as a table")).to_be_visible()
    legend.get_by_text("Show the sessions").click()
    expect(page.locator("tbody summary", has_text="internal_error")).to_have_count(50)


def test_usage_is_a_chart_by_account_and_day(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server, "usage?days=30&show=sessions")
    expect(page.locator(".plot canvas")).to_be_visible()
    expect(page.locator(".legend li", has_text="busy")).to_contain_text("10,0")


def test_what_is_posted_to_webhooks_is_listed_and_can_be_posted_now(
    context: BrowserContext, server: ConsoleServer
) -> None:
    kept = Deliveries(server.store.database)
    parcel = Parcel("a-session", "busy", "https://hooks.example/x?secret", None, "what was said")
    server.run(kept.keep(parcel))
    attempt = server.run(kept.take(not_of=()))
    assert attempt is not None
    server.run(kept.note(attempt, PostResult(500, "It answered 500.", again=True)))
    assert server.run(kept.take(not_of=())) is None
    page = signed_in(context, server)
    page.click("text=Webhooks")
    row = page.locator("tbody tr")
    expect(row).to_contain_text("hooks.example")
    expect(row).to_contain_text("It answered 500.")
    assert "secret" not in page.content()
    press(page, "a-session", "Post now")
    expect(page.locator("#status")).to_have_text("It is posted within seconds.")
    assert server.run(kept.take(not_of=())) is not None


def test_a_server_is_drained(context: BrowserContext) -> None:
    with console_server() as server:
        page = signed_in(context, server, "server")
        page.click("text=Drain this server")
        answer(page, "Drain")
        expect(page.locator("#load")).to_contain_text("draining")
        with pytest.raises(InvalidStatus, match="503"):
            server.connect(server.key)


def test_a_wrong_key_is_told_and_the_right_one_is_kept_from_scripts(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = context.new_page()
    page.goto(server.page)
    page.fill("#admin-key", server.key)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("no admin key")
    page.fill("#admin-key", server.admin_key)
    page.keyboard.press("Enter")
    expect(page.locator("#views")).to_be_visible()
    [cookie] = context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    held = page.evaluate(
        "[document.cookie, location.href, ...Object.values({...localStorage, ...sessionStorage})]"
    )
    assert not [text for text in held if server.admin_key in text or cookie["value"] in text]
    page.reload()
    expect(page.locator("#views")).to_be_visible()
    page.click("text=Sign out")
    expect(page.locator("#status")).to_have_text("You have signed out.")
    page.reload()
    expect(page.locator("#admin-key")).to_be_visible()
    # Nor does it count any more.
    context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": server.page}])
    page.reload()
    expect(page.locator("#admin-key")).to_be_visible()


def test_a_session_that_is_over_leads_to_the_key_and_back_to_the_view(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server)
    expect(page.locator("#load")).not_to_be_empty()
    context.clear_cookies()
    page.click("text=Accounts")
    expect(page.locator("#status")).to_have_text("This session is over. Sign in again.")
    page.fill("#admin-key", server.admin_key)
    page.keyboard.press("Enter")
    expect(page.locator("h2")).to_have_text("Accounts")


def test_a_server_that_goes_and_comes_back_is_noticed(context: BrowserContext) -> None:
    with console_server() as server:
        page = signed_in(context, server)
        expect(page.locator("#load")).not_to_be_empty()
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/engine")):
        expect(page.locator("#status")).to_contain_text("The connection to the server is lost")
    # It tries more than once.
    with console_server(urlsplit(server.page).port or 0):
        # It knows the cookie no more.
        expect(page.locator("#status")).to_have_text("This session is over. Sign in again.")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
def test_it_can_be_used_by_everybody(
    browser: Browser, server: ConsoleServer, scheme: str, width: int
) -> None:
    # The checker's script is none of the page, whose policy would not let it in.
    with watched(browser, bypass_csp=True) as context, server.connect(server.key):
        page = context.new_page()
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(server.page)
        expect(page.locator("#admin-key")).to_be_visible()
        assert_usable(page, width)
        page.fill("#admin-key", server.admin_key)
        page.keyboard.press("Enter")
        for view in VIEWS:
            show(page, view)
            assert_usable(page, width)
        show(page, "accounts")
        press(page, "busy", "Edit")
        assert_usable(page, width)
        assert page.title() != "owned"


def test_the_keyboard_goes_from_the_views_into_the_view(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server)
    page.locator("#views a", has_text="Keys").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h2")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Create a key")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#field-account")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Create a key")).to_be_focused()


def size_of(answer: Response) -> int:
    return int(answer.headers.get("content-length", 0))


def test_the_first_view_is_small_and_stays_where_it_is(
    context: BrowserContext, server: ConsoleServer
) -> None:
    page = signed_in(context, server)
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(size_of(answer)))
    page.add_init_script(
        "window.shifts = 0; new PerformanceObserver(list => list.getEntries()"
        ".forEach(shift => { window.shifts += shift.value; }))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    with server.connect(server.key):
        page.reload()
        expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_have_count(0)
    assert page.evaluate("window.shifts") < 0.01
    assert 10_000 < sum(sizes) < 100_000
