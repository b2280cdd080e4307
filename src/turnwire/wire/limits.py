"""The fixed figures of the protocol, for both of its sides."""

SESSION_PATH = "/v3/ws"
"""Where sessions are opened."""

SHORTEST_CHUNK_MS = 50
LONGEST_CHUNK_MS = 1000
"""How much audio a binary message holds."""

REASON_BYTES = 123
"""What a WebSocket close frame has room for beside its code (RFC 6455, 5.5)."""

MESSAGE_BYTES = 128 * 1024
"""The largest message a client may send."""

LONGEST_SESSION_SECONDS = 3 * 60 * 60
SHORTEST_SESSION_SECONDS = 60
"""What a temporary token may shorten that to."""

LONGEST_TOKEN_SECONDS = 600
"""How long a temporary token may wait for its session."""

SHORTEST_TURN_MS = 5_000
LONGEST_TURN_MS = 120_000
"""What `max_turn_duration` may be. Beyond it, the messages of a turn would grow past 64 KiB."""
