"""All dialects by name."""

from __future__ import annotations

from collections.abc import Mapping

from surefoot.wire import Dialect
from surefoot.wire.anthropic import ANTHROPIC
from surefoot.wire.openai import OPENAI

DIALECTS: Mapping[str, Dialect] = {OPENAI.name: OPENAI, ANTHROPIC.name: ANTHROPIC}
