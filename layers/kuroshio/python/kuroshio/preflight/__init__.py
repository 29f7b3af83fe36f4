"""Whether a deployment can succeed: what it needs that no template can make."""
