"""Turnwire: self-hosted real-time speech-to-text that speaks Universal-Streaming v3."""

__version__ = "0.1.0"
