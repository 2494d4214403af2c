"""Protocols ⇄ domain values: a door reads a request into a Query and writes an Answer out again."""
