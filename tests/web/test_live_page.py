"""The live page, in a real browser with a fake microphone."""

import json
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.recordings import BECKETT_TEXT, recording
from tests.web.accessibility import assert_usable
from tests.web.console import console_server
from turnwire.bench.scoring import word_errors
from turnwire.speech.engine import Engine
from turnwire.testing import LocalServer, serving
from turnwire.wire import closures
from turnwire.wire.closure import ClosureRow

SECONDS = 1000.0
"""ms"""

expect.set_options(timeout=60 * SECONDS)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    # Scripts of a test are no scripts of the page, whose policy would not let them in.
    with browser.new_context(permissions=["microphone"], bypass_csp=True) as context:
        yield context


def opened(context: BrowserContext, server: LocalServer) -> Page:
    page = context.new_page()
    page.set_default_timeout(60 * SECONDS)
    page.goto(server.host.replace("ws", "http", 1))
    return page


@pytest.fixture
def page(context: BrowserContext, server: LocalServer) -> Page:
    """The page in a tab that has the server's key."""
    page = opened(context, server)
    page.evaluate("key => sessionStorage.setItem('turnwire-key', key)", server.api_key)
    return page


def test_speech_becomes_turns_and_the_end_is_told(page: Page) -> None:
    page.click("#speak")
    expect(page.locator("#partial")).not_to_be_empty()
    page.click("#stop")
    expect(page.locator("#closing h2")).to_have_text("1000 Session Ended")
    expect(page.locator("#closing .meaning")).to_have_text(closures.SESSION_ENDED.meaning)
    expect(page.locator("#turns p").first).not_to_be_empty()


def test_a_turn_that_is_still_spoken_is_spaced_as_its_writing_is(page: Page) -> None:
    turn = {
        "transcript": "今日はNew York",
        "words": [
            {"text": text, "word_is_final": i < 4}
            for i, text in enumerate(["今日", "は", "New", "York", "です。", "Good", "night"])
        ],
    }
    shown = """async (turn) => {
        const { Captions } = await import("./live/captions.js");
        const [turns, partial] = [document.createElement("div"), document.createElement("p")];
        new Captions(turns, partial, document.body).show(turn);
        return partial.textContent;
    }"""
    assert page.evaluate(shown, turn) == "今日はNew Yorkです。Good night"


def test_the_last_words_are_waited_for_as_long_as_they_come(page: Page) -> None:
    page.clock.install()
    page.evaluate("""async () => {
        const { Session } = await import("./live/session.js");
        window.WebSocket = class {
            static OPEN = 1;
            readyState = 1;
            send() {}
            close() { window.closed_by_page = true; }
        };
        window.session = new Session("", { onMessage() {}, onClose() {} });
        session.receive({ type: "Begin" });
        session.terminate();
    }""")
    closed = "() => window.closed_by_page === true"
    for _ in range(4):
        page.clock.run_for("00:25")
        page.evaluate("session.receive({ type: 'Turn' })")
    assert not page.evaluate(closed)
    page.clock.run_for("00:31")
    assert page.evaluate(closed)


def test_a_file_is_transcribed(context: BrowserContext, tiny_en: Callable[[], Engine]) -> None:
    with serving(tiny_en()) as server:
        page = opened(context, server)
        page.set_input_files("#file", recording("beckett.wav"))
        page.fill("#key-value", server.api_key)
        page.click("text=Use it")
        expect(page.locator("#closing h2")).to_have_text("1000 Session Ended")
        text = " ".join(page.locator("#turns p").all_inner_texts())
    errors, words = word_errors(BECKETT_TEXT, text)
    assert (words, errors <= 1) == (12, True), text


def test_a_key_is_asked_for_until_it_is_right_and_never_stands_in_a_url(
    context: BrowserContext, server: LocalServer
) -> None:
    page = opened(context, server)
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.on("websocket", lambda socket: urls.append(socket.url))
    page.click("#speak")
    page.fill("#key-value", "tw_wrong")
    page.click("text=Use it")
    expect(page.locator("#key-why")).to_contain_text("Invalid API key")
    page.fill("#key-value", server.api_key)
    page.click("text=Use it")
    expect(page.locator("#status")).to_have_text("Listening.")
    page.click("#stop")
    expect(page.locator("#closing")).to_be_visible()
    assert urls
    assert not [url for url in urls if "tw_wrong" in url or server.api_key in url]


def test_nothing_is_asked_of_another_host(page: Page) -> None:
    hosts: list[str] = []
    page.on("request", lambda request: hosts.append(urlsplit(request.url).netloc))
    page.on("websocket", lambda socket: hosts.append(urlsplit(socket.url).netloc))
    page.reload()
    page.click("#speak")
    expect(page.locator("#status")).to_have_text("Listening.")
    page.click("#stop")
    expect(page.locator("#closing")).to_be_visible()
    assert set(hosts) == {urlsplit(page.url).netloc}


def test_below_a_prefix_it_asks_for_nothing_that_is_not(context: BrowserContext) -> None:
    with console_server(root_path="/all/stt") as server:
        host = server.url.replace("ws", "http", 1)
        page = context.new_page()
        urls: list[str] = []
        page.goto(f"{host}/all/stt")
        page.evaluate("key => sessionStorage.setItem('turnwire-key', key)", server.key)
        page.on("request", lambda request: urls.append(request.url))
        page.on("websocket", lambda socket: urls.append(socket.url))
        page.reload()
        page.click("#speak")
        expect(page.locator("#status")).to_have_text("Listening.")
        page.click("#stop")
        expect(page.locator("#closing h2")).to_have_text("1000 Session Ended")
        page.click("#rehearsal summary")
        page.select_option("#scenario", closures.SESSION_EXPIRED.name)
        page.click("#speak")
        expect(page.locator("#closing h2")).to_contain_text("3008")
        assert len(urls) > 10
        assert {urlsplit(url).path.partition("/stt/")[0] for url in urls} == {"/all"}


@pytest.mark.parametrize(
    "row",
    [
        closures.SESSION_EXPIRED,
        closures.INACTIVE,
        closures.TRANSMISSION_RATE,
        closures.TOO_MANY_SESSIONS,
        closures.UNAUTHORIZED,
    ],
    ids=lambda row: row.name,
)
def test_an_ending_is_rehearsed(page: Page, row: ClosureRow) -> None:
    page.click("#rehearsal summary")
    page.select_option("#scenario", row.name)
    expect(page.locator("#happens")).to_have_text(row.meaning)
    page.click("#speak")
    closure = row.for_example()
    expect(page.locator("#closing h2")).to_have_text(f"{row.code} {closure.text}")
    expect(page.locator("#closing .meaning")).to_have_text(row.meaning)
    expect(page.locator("#closing .advice")).to_have_text(row.advice)
    expect(page.locator("#speak")).to_be_visible()


def test_parameters_are_those_of_the_protocol_and_are_sent(page: Page) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.click("#settings summary")
    page.fill("#parameter-max_turn_silence", "900")
    page.click("#speak")
    expect(page.locator("#status")).to_have_text("Listening.")
    page.click("#stop")
    expect(page.locator("#closing")).to_be_visible()
    assert "max_turn_silence=900" in sockets[0]


def test_a_refused_parameter_is_told_in_the_words_of_the_server(page: Page) -> None:
    page.click("#settings summary")
    page.fill("#parameter-max_turn_silence", "long")
    page.click("#speak")
    expect(page.locator("#closing h2")).to_contain_text("3006 User Input Validation Error")
    expect(page.locator("#closing h2")).to_contain_text("max_turn_silence")


def test_the_messages_can_be_saved(page: Page) -> None:
    page.click("#speak")
    expect(page.locator("#status")).to_have_text("Listening.")
    page.click("#stop")
    expect(page.locator("#closing")).to_be_visible()
    with page.expect_download() as download:
        page.click("#save")
    saved = json.loads(download.value.path().read_text())
    assert saved[0]["message"]["type"] == "Begin"
    assert saved[-1]["message"] == {"close_code": 1000, "reason": "Session Ended"}


def test_a_page_that_is_not_secure_says_how_to_get_the_microphone(page: Page) -> None:
    page.evaluate("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page.click("#speak")
    expect(page.locator("#status")).to_contain_text("--tls-self-signed")
    expect(page.locator("#speak")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_it_can_be_used_by_everybody(page: Page, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 800})
    page.click("#rehearsal summary")
    page.click("#settings summary")
    page.select_option("#scenario", "unauthorized")
    page.click("#speak")
    expect(page.locator("#closing")).to_be_visible()
    assert_usable(page, width)


def test_the_page_is_small_and_may_load_nothing_from_elsewhere(
    context: BrowserContext, server: LocalServer
) -> None:
    page = context.new_page()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    answer = page.goto(server.host.replace("ws", "http", 1), wait_until="networkidle")
    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert sum(sizes) < 100_000
