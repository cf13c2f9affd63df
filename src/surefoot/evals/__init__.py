"""What a policy is worth, with error bars: objectives, what-if on recorded traffic, gates. Records and arrays in, no store.

Every answer says its n and its interval, and "not enough data" or "not identifiable" where the log cannot tell.
"""
