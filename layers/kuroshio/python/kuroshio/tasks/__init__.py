"""Scheduled work on servers: what is declared, what is expected to run, and how each run ended."""
