"""The OpenAI and Anthropic faces: the door that makes a Request, and the way an answer goes out."""
