"""Features of questions and answers, shared by serving and fitting so that they cannot drift apart."""
