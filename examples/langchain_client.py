"""LangChain's OpenAI client through Surefoot.

OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=sk-sf-... python examples/langchain_client.py "When are you open?"
"""

import os
import sys

from langchain_openai import ChatOpenAI

question = sys.argv[1] if len(sys.argv) > 1 else "How long do refills take?"
chat = ChatOpenAI(model=os.environ.get("SUREFOOT_FEATURE", "surefoot"), base_url=os.environ["OPENAI_BASE_URL"])
print(chat.invoke(question).content)
