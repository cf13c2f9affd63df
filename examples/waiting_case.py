"""What to do with an answer that a person has to give: show the holding text, then wait for the case in the way that fits.

OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=sk-sf-... python examples/waiting_case.py "Who was Tutankhamun?"
With SUREFOOT_WAIT=held the call itself waits; with SUREFOOT_WAIT=sse the case's events are read until the answer is there.
"""

import json
import os
import sys

import httpx
from openai import OpenAI

client = OpenAI()
question = sys.argv[1] if len(sys.argv) > 1 else "Who was Tutankhamun?"
wait = os.environ.get("SUREFOOT_WAIT", "poll")
raw = client.chat.completions.with_raw_response.create(
    model=os.environ.get("SUREFOOT_FEATURE", "surefoot"),
    messages=[{"role": "user", "content": question}],
    extra_headers={"x-surefoot-wait": wait},  # or extra_body={"surefoot": {"wait": wait}}
)
print(raw.parse().choices[0].message.content, flush=True)  # a model's answer, a person's, or the holding text
if raw.headers["x-surefoot-decision"] == "deliver":
    sys.exit()

# The case is a row in the gateway's store: it survives restarts, and asking again costs nothing.
case_url = f"{os.environ['OPENAI_BASE_URL']}/cases/{raw.headers['x-surefoot-case']}"
key = {"authorization": f"Bearer {client.api_key}"}
if wait == "sse":
    with httpx.stream("GET", f"{case_url}/events", headers=key, timeout=60) as events:  # signs of life every 15 s
        for line in events.iter_lines():
            told = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if told.get("kind"):
                print(f"it is {told['state']}")
            elif told:
                print(told["answer"])
    sys.exit()

response = httpx.get(case_url, headers=key)
case = response.json()
if case["answer"] is None:
    print(f"case {case['state']}, waits for: {case['role']}, because: {case['reason']}")
    print(f"ask again in {response.headers['retry-after']} s")
else:
    print(case["response"]["choices"][0]["message"]["content"])  # a complete body in the dialect of the request
