"""What an execution of a workflow came to, for the ledger."""
