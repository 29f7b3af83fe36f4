"""Verdicts on what SSM did. Pure: what SSM said goes in, what it means comes out."""
