"""Proof by force: servers are killed, raced and loaded, and what clients saw is checked."""
