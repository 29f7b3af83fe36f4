"""Metrics, check reports and annotations on their way to Mackerel: counted once, or listed as lost; never in silence.

Writers put one message into a queue (``metrics``). A collector folds messages into the ledger (``collect``): every
contribution has a deterministic key, and one cell holds all contributions of one metric name and minute. A flusher
takes its turn per lane and minute (``turns``), posts the totals of the cells that are due (``flush``), and settles what
Mackerel would drop in silence (``settle``).

From the ledger on, nothing depends on the queue: an outage of Mackerel fills no dead-letter queue.
"""
