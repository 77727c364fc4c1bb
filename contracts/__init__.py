"""A contract-test kit: does a server do what the upstream's documents say?"""
