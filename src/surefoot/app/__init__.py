"""The composition root: the only place that names a back-end or a vendor, and the verbs that the server asks for."""

from surefoot.app.app import App
from surefoot.app.metrics import Metrics
from surefoot.app.reply import Note, Reply, StreamReply

__all__ = ["App", "Metrics", "Note", "Reply", "StreamReply"]
