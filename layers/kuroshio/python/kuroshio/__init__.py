"""Kuroshio: releases, Aurora migrations and scheduled work on AWS, as Step Functions workflows.

Workflows call functions, functions call a domain, domains call ports, adapters meet the world::

    functions/ -> kuroshio.<domain> -> ports <- kuroshio.adapters

A domain (``changes``, later ``release``, ``aurora``, ``tasks``, ``mackerel``) never imports boto3.
"""

__version__ = "0.1.0"
