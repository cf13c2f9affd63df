"""Whether providers can be reached: a connection and a head, no request that costs anything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp

from surefoot.config.schema import ProviderSettings

_DEFAULTS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
_SECONDS = 5.0


async def unreachable(providers: Mapping[str, ProviderSettings]) -> dict[str, str]:
    """Why a provider cannot be reached, by name; reachable ones and those without a network are left out."""
    asked = {name: given for name, given in providers.items() if given.kind in _DEFAULTS}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        said = await asyncio.gather(*(_why(session, given) for given in asked.values()))
    return {name: why for name, why in zip(asked, said, strict=True) if why}


async def _why(session: aiohttp.ClientSession, given: ProviderSettings) -> str:
    url = given.base_url or _DEFAULTS[given.kind]
    try:
        async with session.head(url, proxy=given.proxy or None):
            return ""
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return f"not reachable ({type(error).__name__})"
