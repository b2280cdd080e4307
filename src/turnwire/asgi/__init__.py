"""Turnwire as an ASGI application, for servers and applications of others.

app = turnwire.asgi.create_app(load_settings(data_dir="/srv/turnwire"))

app      what is served, and its lifespan
socket   a WebSocket of such a server, as sessions see it
"""

from turnwire.asgi.app import Application, create_app
from turnwire.server.settings import load_settings

__all__ = ["Application", "create_app", "load_settings"]
