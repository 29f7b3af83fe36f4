"""Runs that have to happen: written down before they are due, and matched with what happened, so that nothing can be missing unseen."""
