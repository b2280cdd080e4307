"""Rows of the closure table that only a client sees.

A network that fails, servers that speak otherwise, codes of other servers.
"""

from turnwire.wire.closure import NO_CLOSE_FRAME, ClosureRow, Kind, Phase
from turnwire.wire.closures import CLOSURES

CLOSED_HERE = ClosureRow(
    name="closed_here",
    code=1000,
    template="Closed by this client",
    kind=Kind.NORMAL,
    phase=Phase.SESSION,
    drains=False,
    meaning="This side closed the connection without Terminate.",
    advice="Send Terminate and wait for Termination, or the last words are lost.",
    how_to_trigger="Leave the context of a client by an exception.",
)

NO_TERMINATION = ClosureRow(
    name="no_termination",
    code=1000,
    template="Closed without Termination",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="The server closed as if all were well, but Termination had not come.",
    advice="Connect again; do not count on having every word.",
    how_to_trigger="Rehearse no-termination.",
    retry_after=1,
)

CONNECTION_LOST = ClosureRow(
    name="connection_lost",
    code=NO_CLOSE_FRAME,
    template="The connection was lost",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The connection broke without a close frame: the network failed, the server died, "
    "it answered no ping, or it got on no more with a recording.",
    advice="Connect again.",
    how_to_trigger="Rehearse reset.",
    retry_after=0,
)

NOT_ENDED = ClosureRow(
    name="not_ended",
    code=NO_CLOSE_FRAME,
    template="The server did not end the session within {seconds} seconds",
    kind=Kind.ERROR,
    phase=Phase.SESSION,
    drains=False,
    meaning="The end was asked for or announced, and did not come; the connection was dropped.",
    advice="Connect again, or look at what keeps the server busy.",
    how_to_trigger="Rehearse vanish, and terminate.",
    retry_after=1,
    example={"seconds": 30},
)

UNREACHABLE = ClosureRow(
    name="unreachable",
    code=NO_CLOSE_FRAME,
    template="Could not connect to {address}; is a server running there? ({problem})",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="No connection to the server came about.",
    advice="Check the address, and that the server is running.",
    how_to_trigger="Connect to a port where nobody listens.",
    retry_after=1,
    example={"address": "ws://localhost:8080/v3/ws", "problem": "connection refused"},
)

HOST_NOT_FOUND = ClosureRow(
    name="host_not_found",
    code=NO_CLOSE_FRAME,
    template="There is no host {host} ({problem})",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The name of the server's host could not be resolved.",
    advice="Check the name in the server's URL, and this machine's network.",
    how_to_trigger="Connect to a name that does not exist.",
    retry_after=1,
    example={"host": "speech.example.invalid", "problem": "Name or service not known"},
)

TLS_FAILED = ClosureRow(
    name="tls_failed",
    code=NO_CLOSE_FRAME,
    template="The TLS connection to {address} failed: {problem}",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The server's certificate is not trusted here, or the server does not speak TLS.",
    advice="Trust the certificate's authority (ca_file), or use ws:// if the server has no TLS.",
    how_to_trigger="Connect with wss:// to a server whose certificate is self-signed.",
    example={"address": "wss://localhost:8080/v3/ws", "problem": "self-signed certificate"},
)

NOT_A_WEBSOCKET = ClosureRow(
    name="not_a_websocket",
    code=NO_CLOSE_FRAME,
    template="What answers at {address} is no WebSocket server ({problem})",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="Something else listens on that port, or the server there expects TLS.",
    advice="Check the port, and use wss:// if the server has TLS.",
    how_to_trigger="Connect to the port of a mail server.",
    example={"address": "ws://localhost:25/v3/ws", "problem": "invalid HTTP status line"},
)

PROXY_FAILED = ClosureRow(
    name="proxy_failed",
    code=NO_CLOSE_FRAME,
    template="The proxy {proxy} could not be used: {problem}",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="The environment names a proxy for this address, and there was no way through it.",
    advice="Check the proxy settings of the environment (https_proxy, no_proxy and the like).",
    how_to_trigger="Set https_proxy to a port where nobody listens, and connect to another host.",
    retry_after=1,
    example={"proxy": "http://127.0.0.1:9", "problem": "connection refused"},
)

NO_BEGIN = ClosureRow(
    name="no_begin",
    code=NO_CLOSE_FRAME,
    template="{address} did not open a session within {seconds} seconds",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="Begin did not come in time.",
    advice="Connect again; the server may be overloaded.",
    how_to_trigger="Rehearse no-begin.",
    retry_after=1,
    example={"address": "ws://localhost:8080/v3/ws", "seconds": 10},
)

TOKEN_FAILED = ClosureRow(
    name="token_failed",
    code=NO_CLOSE_FRAME,
    template="The token provider failed: {problem}",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="There was no token to connect with, because what provides them raised an exception.",
    advice="Look at the cause of this exception.",
    how_to_trigger="Give a client a token provider that raises.",
    retry_after=1,
    example={"problem": "TimeoutError()"},
)

NOT_THIS_PROTOCOL = ClosureRow(
    name="not_this_protocol",
    code=1002,
    template="The server does not speak this protocol: {message} came before Begin",
    kind=Kind.ERROR,
    phase=Phase.OPENING,
    drains=False,
    meaning="What came is not of this protocol, such as anything but Begin or Error at first.",
    advice="Check the address.",
    how_to_trigger="Connect to a server of another protocol.",
    example={"message": "Turn"},
)

HANDSHAKE_REFUSED = ClosureRow(
    name="handshake_refused",
    code=403,
    template="{address} answered with HTTP status {status} instead of a session{body}",
    kind=Kind.HTTP,
    phase=Phase.OPENING,
    drains=False,
    meaning="The handshake was answered with an HTTP status that another attempt does not change.",
    advice="Check the address and what stands between here and there.",
    how_to_trigger="Rehearse handshake/403.",
    example={"address": "ws://localhost:8080/v3/ws", "status": 403, "body": ""},
)

HANDSHAKE_FAILED = ClosureRow(
    name="handshake_failed",
    code=503,
    template=HANDSHAKE_REFUSED.template,
    kind=Kind.HTTP,
    phase=Phase.OPENING,
    drains=False,
    meaning="The handshake was answered with an HTTP status of a server in trouble (429, 5xx).",
    advice="Connect again soon.",
    how_to_trigger="Rehearse handshake/503.",
    retry_after=1,
    example={"address": "ws://localhost:8080/v3/ws", "status": 503, "body": ""},
)

REDIRECTED = ClosureRow(
    name="redirected",
    code=301,
    template="{address} redirects to {location}",
    kind=Kind.HTTP,
    phase=Phase.OPENING,
    drains=False,
    meaning="The handshake was answered with the address of another place, which is not followed: "
    "a key goes only where it was meant to go.",
    advice="Use the other address, if you trust it.",
    how_to_trigger="Connect to a server that answers with 301, 302, 303, 307 or 308.",
    example={
        "address": "ws://speech.example/v3/ws",
        "location": "wss://speech.example/v3/ws",
    },
)

GOING_AWAY = ClosureRow(
    name="going_away",
    code=1001,
    template="Going away",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The server, or something in between, is about to stop or had enough of silence.",
    advice="Connect again.",
    how_to_trigger="Use a server that closes with 1001.",
    retry_after=1,
)

SERVICE_RESTART = ClosureRow(
    name="service_restart",
    code=1012,
    template="Service restart",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The server is about to start again.",
    advice="Connect again.",
    how_to_trigger="Use a server that closes with 1012.",
    retry_after=1,
)

BAD_GATEWAY = ClosureRow(
    name="bad_gateway",
    code=1014,
    template="Bad gateway",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="A gateway had no good answer from the server behind it.",
    advice="Connect again.",
    how_to_trigger="Use a gateway that closes with 1014.",
    retry_after=1,
)

UNKNOWN_CLOSURE = ClosureRow(
    name="unknown_closure",
    code=4000,
    template="Unknown closure",
    kind=Kind.ERROR,
    phase=Phase.ANY,
    drains=False,
    meaning="The server closed with a code, or with a text, that stands in no table.",
    advice="Read the code and the text.",
    how_to_trigger="Use a server that closes with 4000.",
)

OWN_ROWS = (
    CLOSED_HERE,
    NO_TERMINATION,
    CONNECTION_LOST,
    NOT_ENDED,
    UNREACHABLE,
    HOST_NOT_FOUND,
    TLS_FAILED,
    NOT_A_WEBSOCKET,
    PROXY_FAILED,
    NO_BEGIN,
    TOKEN_FAILED,
    NOT_THIS_PROTOCOL,
    HANDSHAKE_REFUSED,
    HANDSHAKE_FAILED,
    REDIRECTED,
    GOING_AWAY,
    SERVICE_RESTART,
    BAD_GATEWAY,
    UNKNOWN_CLOSURE,
)

ROWS = (*CLOSURES, *OWN_ROWS)
