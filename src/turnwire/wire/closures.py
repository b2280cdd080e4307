"""The closure table: every way a session can end, one row each.

Whatever has to know about a closure derives it from here: the Error frame, the close reason, a
client's exceptions, the documentation. Adding a closure is adding a row to this file.

Texts are those of the protocol's page *Common session errors and closures*, to the letter.
"""

from dataclasses import replace

from turnwire.wire.closure import NO_CLOSE_FRAME, ClosureRow, Kind, Phase

SESSION_ENDED = ClosureRow(
    name="session_ended",
    code=1000,
    template="Session Ended",
    kind=Kind.NORMAL,
    phase=Phase.SESSION,
    drains=True,
    meaning="The client sent Terminate; the last turn and Termination were delivered.",
    advice="Nothing to do.",
    how_to_trigger="Send Terminate.",
)

CLIENT_GONE = ClosureRow(
    name="client_gone",
    code=NO_CLOSE_FRAME,
    template="Client disconnected",
    kind=Kind.NORMAL,
    phase=Phase.ANY,
    drains=False,
    meaning="The client closed the socket or vanished without Terminate; nothing could be sent.",
    advice="Send Terminate and wait for Termination, or the last words are lost.",
    how_to_trigger="Close the socket without sending Terminate.",
    retry_after=0,
)

MISSING_AUTHORIZATION = ClosureRow(
    name="missing_authorization",
    code=1008,
    template="Unauthorized Connection: Missing Authorization header",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="Neither an Authorization header nor a token parameter came with the connection.",
    advice="Send the API key in the Authorization header, or a temporary token as ?token=.",
    how_to_trigger="Connect without credentials.",
)

UNAUTHORIZED = ClosureRow(
    name="unauthorized",
    code=1008,
    template="Unauthorized Connection: {reason}",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The credentials are not valid (an unknown or revoked key, an expired or used token), "
    "or their account may not open a session (it is disabled, or its balance is used up).",
    advice="Read the reason; another attempt with the same credentials ends the same way.",
    how_to_trigger="Connect with a key that was never issued.",
    example={"reason": "Invalid API key"},
)

ACCESS_ENDED = replace(
    UNAUTHORIZED,
    name="access_ended",
    phase=Phase.SESSION,
    drains=True,
    meaning="The account may not have the session any longer: its key was revoked, the account was "
    "disabled, its balance is used up, its limit was lowered, or an operator ended the session. "
    "The last words were delivered. To a client it reads as unauthorized.",
    how_to_trigger="Revoke the key of an open session and wait five seconds.",
    warning="The account's balance ends in {n} seconds",
    example={"reason": "Insufficient account balance"},
)

INTERNAL_ERROR = ClosureRow(
    name="internal_error",
    code=1011,
    template="Internal error",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="Something failed on the server while the session was being established.",
    advice="Connect again; if it persists, the server's log has the cause under the session id.",
    how_to_trigger="Make the key store unreadable while the server runs.",
    retry_after=1,
)

SERVER_ERROR = ClosureRow(
    name="server_error",
    code=3005,
    template="Session Cancelled: An error occurred",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="Something failed on the server during the session.",
    advice="Open a new session; the server's log has the cause under the session id.",
    how_to_trigger="Make the speech engine fail while a session is open.",
    retry_after=1,
)

SERVER_STOPPING = replace(
    SERVER_ERROR,
    name="server_stopping",
    drains=True,
    meaning="The server is shutting down; the last words were delivered. The protocol has one text "
    "for this and for server_error, so a client cannot tell them apart; the ledger can.",
    advice="Open a new session.",
    how_to_trigger="Stop the server while a session is open.",
)

LEASE_LOST = replace(
    SERVER_ERROR,
    name="lease_lost",
    drains=True,
    meaning="The ledger could not be reached for so long that the session had to end; the last "
    "words were delivered. To a client it reads as server_error.",
    advice="Open a new session; the server's log says why the ledger could not be reached.",
    how_to_trigger="Make the database unreachable for five minutes while a session is open.",
)

INVALID_MESSAGE_TYPE = ClosureRow(
    name="invalid_message_type",
    code=3006,
    template="Invalid Message Type: {message}",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="A text message has a type that does not exist.",
    advice="Send Terminate, ForceEndpoint, UpdateConfiguration or KeepAlive; audio is binary.",
    how_to_trigger='Send {"type": "Bogus"}.',
    example={"message": "Bogus"},
)

INVALID_JSON = ClosureRow(
    name="invalid_json",
    code=3006,
    template="Invalid JSON: {json}",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="A text message is not JSON.",
    advice="Send JSON objects as text and audio as binary messages.",
    how_to_trigger="Send the text {not json.",
    example={"json": "{not json"},
)

INVALID_MESSAGE = ClosureRow(
    name="invalid_message",
    code=3006,
    template="Invalid Message: {message}",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="A text message is JSON but no object with a type, or holds audio; or a binary message "
    "holds JSON.",
    advice='Send an object such as {"type": "Terminate"} as text, and audio as it is, in binary '
    "messages.",
    how_to_trigger="Send the text [].",
    example={"message": "[]"},
)

INVALID_PARAMETER = ClosureRow(
    name="invalid_parameter",
    code=3006,
    template="User Input Validation Error: Invalid '{name}': {detail}",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="A connection parameter or an UpdateConfiguration field has a value it cannot have.",
    advice="Correct the value; unknown names are ignored, wrong values are not.",
    how_to_trigger="Connect with ?sample_rate=4000.",
    warning="'{name}' has no effect: {detail}",
    example={
        "name": "sample_rate",
        "detail": "Value error, sample_rate must be at least 8,000 Hz",
    },
)

UNDECODABLE_AUDIO = ClosureRow(
    name="undecodable_audio",
    code=3006,
    template="User Input Validation Error: Failed to decode {what}: {detail}",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="Compressed audio is damaged, or is not in the encoding that was declared.",
    advice="Check that encoding is that of the audio, and that one message of opus holds "
    "exactly one packet.",
    how_to_trigger="Connect with ?encoding=opus and send one byte, 255.",
    warning="Audio seems to be {detail}, but {what} was declared",
    example={
        "what": "Opus packet",
        "detail": "[Errno 1094995529] Invalid data found when processing input: "
        "'avcodec_send_packet()'",
    },
)

INACTIVE = ClosureRow(
    name="inactive",
    code=3006,
    template="Session terminated due to inactivity: No messages received for {n} seconds",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=True,
    meaning="No audio and no message came for as long as inactivity_timeout says.",
    advice="Send KeepAlive during silence, or leave inactivity_timeout out.",
    how_to_trigger="Connect with ?inactivity_timeout=5 and send nothing.",
    retry_after=0,
    warning="No messages received for {n} seconds; the session ends after {limit}",
    example={"n": 30},
)

INPUT_DURATION = ClosureRow(
    name="input_duration",
    code=3007,
    template="Input duration violation: {ms} ms. Expected between 50 and 1000 ms",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="A binary message holds too much audio, or those of a second in a row too little, "
    "by the declared sample rate and encoding.",
    advice="Send 50 to 1000 ms a message and check that sample_rate is that of the audio.",
    how_to_trigger="Send 1200 ms of audio in one message.",
    warning="Input duration of {ms} ms was let pass. Expected between 50 and 1000 ms",
    example={"ms": "25.0"},
)

TRANSMISSION_RATE = ClosureRow(
    name="transmission_rate",
    code=3007,
    template="Audio Transmission Rate Exceeded: Received {audio} sec. audio in {elapsed} sec",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="Audio kept coming faster than real time, until it was too far ahead.",
    advice="Send audio as fast as it is spoken; pace files. Of live audio, check that sample_rate "
    "is its own and that it has one channel.",
    how_to_trigger="Send more than five minutes of audio as fast as the socket takes it.",
    warning="Audio is ahead of time: Received {audio} sec. audio in {elapsed} sec",
    example={"audio": "314.9", "elapsed": "1.312326"},
)

SESSION_EXPIRED = ClosureRow(
    name="session_expired",
    code=3008,
    template="Session Expired: Maximum session duration exceeded",
    kind=Kind.KNOWN,
    phase=Phase.SESSION,
    drains=True,
    meaning="The session reached its longest duration: three hours, or what its temporary "
    "token allows. Begin.expires_at had named the time.",
    advice="Open a new session.",
    how_to_trigger="Open a session with a token whose max_session_duration_seconds is 60; wait.",
    retry_after=0,
    warning="The session expires in {n} seconds",
)

TOO_MANY_SESSIONS = ClosureRow(
    name="too_many_sessions",
    code=3009,
    template="Unauthorized Connection: Too many concurrent sessions",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The account has as many sessions open as it may, or opened as many new ones this "
    "minute as it may.",
    advice="Wait until a session has ended, or a minute; back off when it happens again.",
    how_to_trigger="Open one session more than the account's limit.",
    retry_after=30,
)

MESSAGE_TOO_LARGE = ClosureRow(
    name="message_too_large",
    code=1009,
    template="Message too large: {size} bytes. Expected at most {limit} bytes",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="One message holds more than 128 KiB.",
    advice="Send audio in messages of 50 to 1000 ms.",
    how_to_trigger="Send a message of 131,073 bytes.",
    example={"size": 131_073, "limit": 131_072},
)

WEBSOCKET_VIOLATION = ClosureRow(
    name="websocket_violation",
    code=1002,
    template="Protocol error: {detail}",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="A frame breaks the rules of RFC 6455: a reserved bit or opcode, no mask, a control "
    "frame that is too long or in fragments, a continuation of nothing, a close code that may not "
    "be sent.",
    advice="Use a WebSocket library; no well-behaved one sends such frames.",
    how_to_trigger="Send a frame without a mask.",
    example={"detail": "a client's frame without a mask"},
)

INVALID_TEXT = ClosureRow(
    name="invalid_text",
    code=1007,
    template="Invalid text: A text message is not UTF-8",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="A text message, or the reason of a close frame, is not UTF-8.",
    advice="Send audio in binary messages, and JSON in UTF-8.",
    how_to_trigger="Send a text frame of one byte, 255.",
)

MESSAGE_RATE = ClosureRow(
    name="message_rate",
    code=1008,
    template="Message Rate Exceeded: Too many messages other than audio",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="More messages without audio came than a session may send: 500 at once, and 50 a "
    "second. Texts, pings, empty messages and fragments of up to 125 bytes count; 4 KB of a text "
    "count as one more.",
    advice="Send KeepAlive, ForceEndpoint and UpdateConfiguration when there is reason to, and "
    "audio in messages of 50 to 1000 ms.",
    how_to_trigger="Send a thousand pings at once.",
)

NO_CAPACITY = ClosureRow(
    name="no_capacity",
    code=1013,
    template="No capacity: This server has as many sessions as it can serve",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="All sessions that this server can serve are taken; none is kept waiting.",
    advice="Connect again soon, or to another server.",
    how_to_trigger="Run `turnwire serve --max-sessions 1` and open two.",
    retry_after=5,
)

DEPRECATED_ENDPOINT = ClosureRow(
    name="deprecated_endpoint",
    code=410,
    template="Deprecated endpoint: The V2 streaming API has been retired. "
    "Use this endpoint instead: {url}",
    kind=Kind.HTTP,
    phase=Phase.OPENING,
    drains=False,
    meaning="The path is that of the retired V2 API; the handshake is answered with HTTP 410.",
    advice="Connect to /v3/ws.",
    how_to_trigger="Connect to /v2/realtime/ws.",
    example={"url": "/v3/ws"},
)

SESSION_LOST = ClosureRow(
    name="session_lost",
    code=NO_CLOSE_FRAME,
    template="Server lost",
    kind=Kind.NORMAL,
    phase=Phase.SESSION,
    drains=False,
    meaning="The server that ran the session died; nothing could be sent. The session is billed "
    "up to its last sign of life.",
    advice="Open a new session.",
    how_to_trigger="Kill the server's process while a session is open.",
    retry_after=1,
)

CLOSURES = tuple(row for row in list(globals().values()) if isinstance(row, ClosureRow))
"""Every row of this file, in its order."""
