"""OpenAI, and every server that speaks its dialect."""

from __future__ import annotations

from surefoot.config.schema import ProviderSettings
from surefoot.providers.remote import RemoteProvider
from surefoot.wire.openai import OPENAI


class OpenAIProvider(RemoteProvider):
    """POST {base_url}/chat/completions and /embeddings, with a bearer key."""

    kind = "openai"
    dialect = OPENAI
    paths = {"chat": "/chat/completions", "embeddings": "/embeddings"}

    def base_url(self, settings: ProviderSettings) -> str:
        """The base URL as the SDK has it: with /v1."""
        return (settings.base_url or "https://api.openai.com/v1").rstrip("/")

    def auth(self, settings: ProviderSettings) -> dict[str, str]:
        """The bearer key; none for servers without keys."""
        return {"authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
