"""What GitHub tells of pull requests and merges, and what we say there: pure, no network."""
