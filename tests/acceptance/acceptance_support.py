"""What the acceptance tests share: the configuration, a gateway process, small words."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import openai

from surefoot.demo.process import free_port, serving
from surefoot.providers.testing import ScriptedUpstream

CONFIG = """
[server]
max_body_bytes = 200000
body_seconds = 1.0
[store]
database = "{folder}/surefoot.db"
key_file = "{folder}/surefoot.key"
[providers.vendor]
kind = "openai"
base_url = "{upstream}/v1"
api_key = "sk-vendor"
first_token_seconds = 2.0
idle_seconds = 1.0
break_after = 0
[providers.other]
kind = "anthropic"
base_url = "{upstream}"
api_key = "sk-other"
first_token_seconds = 2.0
idle_seconds = 1.0
break_after = 0
{models}
[features.default]
ladder = ["requested"]
[features.claude]
ladder = ["claude-plain"]
[features.careful]
mode = "enforce"
ladder = ["cache", "plain"]
person = "nurse"
[features.believed]
mode = "enforce"
ladder = ["cache", "plain"]
[features.believed.maps.plain]
p = 0.9
[features.forgotten]
mode = "enforce"
ladder = ["cache", "plain"]
[features.forgotten.maps.plain]
p = 0.9
[features.believed-claude]
mode = "enforce"
ladder = ["cache", "claude-plain"]
[features.believed-claude.maps.claude-plain]
p = 0.9
[features.near]
mode = "enforce"
ladder = ["cache", "faithful"]
maps.faithful = {{ p = 0.99 }}
cache = {{ kind = "near", errors_per_request = 0.5, shadow_requests = 10 }}
[features.fallback]
ladder = ["broken"]
[features.climbing]
mode = "enforce"
ladder = ["server-error", "plain"]
[features.climbing.maps.plain]
p = 0.9
[features.spoken]
mode = "enforce"
stream = "sentence"
ladder = ["slips", "goes-on"]
person = "nurse"
maps = {{ slips = {{ p = 0.9 }}, "continued:goes-on" = {{ p = 0.9 }} }}
[features.spoken-claude]
mode = "enforce"
stream = "sentence"
ladder = ["claude-slips", "claude-goes-on"]
person = "nurse"
maps = {{ claude-slips = {{ p = 0.9 }}, "continued:claude-goes-on" = {{ p = 0.9 }} }}
[features.spoken-alone]
mode = "enforce"
stream = "sentence"
ladder = ["slips", "faithful"]
person = "nurse"
maps = {{ slips = {{ p = 0.9 }} }}
[features.spoken-well]
mode = "enforce"
stream = "sentence"
ladder = ["invents", "faithful"]
maps = {{ invents = {{ p = 0.9 }}, faithful = {{ p = 0.9 }} }}
[features.spoken-broken]
mode = "enforce"
stream = "sentence"
ladder = ["half-stream", "goes-on"]
person = "nurse"
maps = {{ half-stream = {{ p = 0.9 }}, "continued:goes-on" = {{ p = 0.9 }} }}
[features.poor]
ladder = ["plain"]
budget = {{ usd = 0.0, window = "total" }}
[features.race]
ladder = ["plain"]
budget = {{ usd = 0.03, window = "total", per = "all" }}
[features.short]
ladder = ["plain"]
budget = [{{ usd = 0.009, window = "total" }}, {{ usd = 0.02, window = "hour", per = "all" }}]
[features.empty-hour]
ladder = ["claude-plain"]
budget = {{ usd = 0.0, window = "hour" }}
[features.limited]
ladder = ["plain"]
rate = {{ requests_per_minute = 2, tokens_per_minute = 100000 }}
[features.limited-stream]
ladder = ["plain"]
rate = {{ requests_per_minute = 1000 }}
[features.limited-claude]
ladder = ["claude-plain"]
rate = {{ requests_per_minute = 2, tokens_per_minute = 100000 }}
[features.narrow]
ladder = ["narrow"]
window = {{ keep = ["passages", "history"] }}
[features.narrow-claude]
ladder = ["claude-narrow"]
[features.narrow-then-wide]
ladder = ["narrow", "plain"]
[people.nurse]
holding = "A nurse will answer you."
retry_after_seconds = 7
"""
NAMES = (
    "plain", "busy-then-ok", "rate-limited", "server-error", "wrong-request", "refused-key", "silent", "slow",
    "half-stream", "garbage", "html", "gzip", "cached", "tools", "no-usage", "mid-error", "slips", "goes-on", "faithful", "invents",
)  # fmt: skip
PASSAGE = "Refills take two working days. Call the pharmacy before noon. The desk is open from 8 to 17 on weekdays."
TEXTS = {
    "slips": "Refills take two working days. Call the pharmacy before midnight on Sundays in Antarctica. Good luck.",
    "goes-on": "Call the pharmacy before noon. The desk is open from 8 to 17 on weekdays.",
    "faithful": "Refills take two working days. Call the pharmacy before noon.",
    "invents": "Dr Zhivago invented penicillin in 1830. Refills take two working days.",
}  # what models say that are streamed sentence by sentence
PRICE = "price = { input_usd_per_million = 1.0, cached_usd_per_million = 0.5, output_usd_per_million = 2.0 }"


def models() -> str:
    tables = [f'[models."{name}"]\nprovider = "vendor"\n{PRICE}' for name in NAMES]
    tables += [f'[models."claude-{name}"]\nprovider = "other"\nmodel = "{name}"\n{PRICE}' for name in NAMES]
    window = 'model = "plain"\ncontext_tokens = 300\nmax_output_tokens = 100'
    tables.append(f'[models.narrow]\nprovider = "vendor"\n{window}\n{PRICE}')
    tables.append(f'[models.claude-narrow]\nprovider = "other"\n{window}\n{PRICE}')
    tables.append(f'[models.broken]\nprovider = "vendor"\nmodel = "server-error"\nfallbacks = ["plain"]\n{PRICE}')
    return "\n".join(tables)


class Running:
    """What the tests talk to."""

    def __init__(self, url: str, upstream: ScriptedUpstream, folder: Path) -> None:
        self.url, self.upstream, self.folder = url, upstream, folder
        self.config = folder / "surefoot.toml"


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    async with ScriptedUpstream(gap_seconds=0.02, chunks=12, texts=TEXTS) as upstream:
        config = folder / "surefoot.toml"
        config.write_text(CONFIG.format(folder=folder, upstream=upstream.url, models=models()))
        async with serving(config, free_port()) as url:
            yield Running(url, upstream, folder)


def messages(text: str) -> list:
    return [{"role": "user", "content": text}]


def ask(client: openai.OpenAI, model: str, text: str) -> str:
    return client.chat.completions.create(model=model, messages=messages(text)).choices[0].message.content
