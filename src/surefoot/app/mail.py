"""One mail: plain text, over SMTP, on a thread of its own. A password is never sent in clear."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from surefoot.config.schema import NotifySettings

_SECONDS = 10.0  # for each step of the conversation


async def send(settings: NotifySettings, subject: str, text: str) -> None:
    """Send a text to everybody in `to`. Raises OSError (smtplib's errors are some), ValueError for a line break in a head."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, settings.sender, ", ".join(settings.to)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=settings.sender.rpartition("@")[2])
    message.set_content(text + "\n")
    await asyncio.to_thread(_send, settings, message)


def _send(settings: NotifySettings, message: EmailMessage) -> None:
    context = ssl.create_default_context(cafile=settings.smtp_ca_file or None)
    where = (settings.smtp_host, settings.smtp_port)
    if settings.smtp_tls == "implicit":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=_SECONDS, context=context)
    else:
        server = smtplib.SMTP(*where, timeout=_SECONDS)
    with server:
        if settings.smtp_tls == "starttls":
            server.starttls(context=context)
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
        server.send_message(message, settings.sender, list(settings.to))
