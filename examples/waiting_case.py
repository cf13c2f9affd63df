"""What to do with an answer that a person has to give: show the holding text, then ask for the case.

OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=sk-sf-... python examples/waiting_case.py "Who was Tutankhamun?"
"""

import os
import sys

import httpx
from openai import OpenAI

client = OpenAI()
question = sys.argv[1] if len(sys.argv) > 1 else "Who was Tutankhamun?"
raw = client.chat.completions.with_raw_response.create(
    model=os.environ.get("SUREFOOT_FEATURE", "surefoot"), messages=[{"role": "user", "content": question}]
)
print(raw.parse().choices[0].message.content)  # the holding text
case_id = raw.headers.get("x-surefoot-case")
if case_id is None:
    print("answered at once")
    sys.exit()

# The case is a row in the gateway's store: it survives restarts, and asking again costs nothing.
response = httpx.get(
    f"{os.environ['OPENAI_BASE_URL']}/cases/{case_id}", headers={"authorization": f"Bearer {client.api_key}"}
)
case = response.json()
print(f"case {case['state']}, waits for: {case['role']}, because: {case['reason']}")
print(f"ask again in {response.headers['retry-after']} s")
