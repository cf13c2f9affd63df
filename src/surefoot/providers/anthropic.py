"""Anthropic, and every server that speaks its dialect."""

from __future__ import annotations

from surefoot.config.schema import ProviderSettings
from surefoot.providers.remote import RemoteProvider
from surefoot.wire.anthropic import ANTHROPIC

_VERSION = "2023-06-01"


class AnthropicProvider(RemoteProvider):
    """POST {base_url}/v1/messages and /v1/messages/count_tokens, with x-api-key."""

    kind = "anthropic"
    dialect = ANTHROPIC
    paths = {"chat": "/v1/messages", "count_tokens": "/v1/messages/count_tokens"}

    def base_url(self, settings: ProviderSettings) -> str:
        """The base URL as the SDK has it: without /v1 (with it, it is taken off)."""
        return (settings.base_url or "https://api.anthropic.com").rstrip("/").removesuffix("/v1")

    def auth(self, settings: ProviderSettings) -> dict[str, str]:
        """The key and the version that is spoken."""
        key = {"x-api-key": settings.api_key} if settings.api_key else {}
        return {"anthropic-version": _VERSION, **key}
