"""What is said between a server and its decoders.

Over the socket of one decoder, in lock step: the server says a message, first the encoding and
the sample rate that it wants ("opus 16000"), then binary messages of the client as they are. The
decoder answers each with any number of replies of kind `MORE`, and one `DONE` or `FAILED`.
Samples are mono, signed 16 bits, in the machine's byte order.

Over the socket of the forking process: requests, each about the decoder with that number.
"""

from struct import Struct

MESSAGE = Struct("=I")
"""The length of the message that follows."""

REPLY = Struct("=cI")
"""The kind of a reply and the length of the body that follows."""

MORE = b"m"
"""The body has samples, and more will come."""
DONE = b"d"
"""The body has the last samples of this message, or none."""
FAILED = b"f"
"""The body says in UTF-8 why the message cannot be decoded. Nothing follows."""

REPLY_BYTES = 32_000
"""How many bytes of samples are gathered before they are sent: a second at 16 kHz."""

LONGEST_REPLY_BYTES = 2 * REPLY_BYTES
"""As many, less one sample, and those of the longest packet of any encoding."""

REQUEST = Struct("=cI")
"""What is to be done and the number of the decoder, which the server chooses."""

FORK = b"f"
"""Fork a decoder; its socket comes with the request."""
END = b"e"
"""Kill that decoder, if it still lives."""
