"""`make lint`: every judge of templates, state machines, policies, workflows and code, offline."""
