"""When something is due: cron, rates and single times in a named zone, and when nothing may run."""
