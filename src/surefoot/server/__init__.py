"""The wire: one raw ASGI application for the hot path, and the process around it."""
