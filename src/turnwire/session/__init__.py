"""The session as a pure state machine: events in, effects out, no sockets and no clock."""
