"""Webhooks: the finished turns of a session, posted to the address that its client gave."""
