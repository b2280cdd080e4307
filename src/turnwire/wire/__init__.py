"""What is on the wire: messages, connection parameters, audio encodings, and the closure table."""
