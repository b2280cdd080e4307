"""Rehearsal: every closure and every fault of a network, on demand and against any client.

A path such as `/rehearse/session_expired/after/5s/v3/ws` opens a real session, which is the
application's own and knows nothing of this; what is rehearsed happens between it and its client.

    plan       from a path to what is to happen, and when
    fates      what can happen: the rows of the closure table, and faults that are no closure
    stage      between a session and its client; a fate says what passes
    socket     what a fate does to the socket itself
    menu       all of it, with a URL each
    wrapper    the ASGI application around the real one
"""
