"""Stands for testcontainers where no container engine is: what the recipes use of it."""
