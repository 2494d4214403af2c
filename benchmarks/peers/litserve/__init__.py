"""LitServe: a LitAPI."""
