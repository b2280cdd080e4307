"""The WebSocket from its handshake to its close.

listener    accepts connections, and bounds those that are no session yet
front       reads a connection's first request: a handshake, or plain HTTP for somebody else
request     one request's head: its limits, and how it is refused (pure)
handshake   whether a request may become a WebSocket (pure)
frames      the frames of RFC 6455, from bytes and to bytes (pure)
websocket   one open WebSocket: shares, limits, pings, the closing handshake
limits      how much a client may ask of a connection, and how that is counted (pure)
notices     what goes wrong all the time is logged once a minute
"""
