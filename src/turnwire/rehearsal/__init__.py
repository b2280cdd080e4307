"""Rehearsal: every closure and every fault of a network, on demand and against any client.

A path such as `/rehearse/session_expired/after/5s/v3/ws` opens a real session, which is the
server's own and knows nothing of this; what is rehearsed happens between it and its client.

    plan         from a path to what is to happen, and when
    scenarios    what can happen: the rows of the closure table, and faults that are no closure
    stage        between a session and its client; a scenario says what passes
    menu         all of it, with a URL each
    interceptor  what puts it between a server and its clients
"""
