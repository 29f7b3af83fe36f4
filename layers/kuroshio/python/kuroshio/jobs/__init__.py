"""Jobs that are started by somebody else (cron, a timer, a person), and told of when they end."""
