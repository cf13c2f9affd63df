"""The official Anthropic SDK through Surefoot: nothing changes but the base URL.

ANTHROPIC_BASE_URL=http://127.0.0.1:8080 ANTHROPIC_API_KEY=sk-sf-... python examples/anthropic_sdk.py "When are you open?"
"""

import os
import sys

from anthropic import Anthropic

client = Anthropic()  # reads ANTHROPIC_BASE_URL and ANTHROPIC_API_KEY
question = sys.argv[1] if len(sys.argv) > 1 else "How long do refills take?"
model = os.environ.get("SUREFOOT_FEATURE", "surefoot")

message = client.messages.create(model=model, max_tokens=400, messages=[{"role": "user", "content": question}])
print(message.content[0].text)
print(message.model_extra["surefoot"]["decision"])

with client.messages.stream(model=model, max_tokens=400, messages=[{"role": "user", "content": question}]) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()
