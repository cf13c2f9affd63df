"""The people at the end of the ladder: who is asked first, what one answer is good for, how many are needed."""
