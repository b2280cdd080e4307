"""What a server's decoders and a client's files share: decoded frames into mono samples.

The decoders of a server live in processes of their own that have to stay small, so this room
imports nothing but the standard library and av.
"""
