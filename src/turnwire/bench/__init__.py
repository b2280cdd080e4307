"""Measuring: paced clients on real sockets against a server in a process of its own."""


class BenchError(Exception):
    """It cannot be measured; the text is one sentence for the person who asked."""
