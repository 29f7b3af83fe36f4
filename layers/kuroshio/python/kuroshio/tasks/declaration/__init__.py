"""``tasks.yaml``: what a team wants to run, where, when and how.

``model`` is what stands there, ``reading`` reads it and names what is wrong with its place, ``carriers`` decides who runs
it: a maintenance window of SSM, or EventBridge Scheduler with our own workflow.
"""
