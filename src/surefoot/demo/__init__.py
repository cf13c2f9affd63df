"""A clinic's patient messages: a hand-written handbook and traffic, a real extractive answerer, a simulated flagship."""
