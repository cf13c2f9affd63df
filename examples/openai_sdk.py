"""The official OpenAI SDK through Surefoot: nothing changes but the base URL.

OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=sk-sf-... python examples/openai_sdk.py "How long do refills take?"
"""

import os
import sys

from openai import OpenAI

client = OpenAI()  # reads OPENAI_BASE_URL and OPENAI_API_KEY
question = sys.argv[1] if len(sys.argv) > 1 else "How long do refills take?"
model = os.environ.get("SUREFOOT_FEATURE", "surefoot")

answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}])
decision = answer.model_extra["surefoot"]
print(answer.choices[0].message.content)
print(f"{decision['decision']} by {decision['rung']}, confidence {decision['confidence']}, ${decision['cost_usd']}")

for chunk in client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}], stream=True):
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
print()
