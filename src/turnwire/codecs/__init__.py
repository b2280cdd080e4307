"""Decoders of compressed audio, each in a small process of its own.

What a client sends is taken apart by FFmpeg's libraries, in C; a stream that is made to can crash
them, hang them or have them ask for all memory there is. So no process with more than one session
in it decodes: a process that knows nothing else forks one for each session. What goes wrong in it
ends that session and nothing more.

    streams    Ogg pages and ADTS frames, out of a stream of bytes
    decoding   from packets to samples, one class for each encoding
    framing    what is said between a decoder and its server
    forking    the process that forks decoders

These processes live as long as sessions do, so they import nothing but the standard library, av
and `turnwire.audio`, which keeps to the same rule. The server's side is `turnwire.server.decoders`.
"""
