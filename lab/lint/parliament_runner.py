"""Run by the Python of parliament's own environment: policies on stdin as {name: document}, findings on stdout.

Its command line refuses to read a file when stdin is no terminal, and it needs an old setuptools.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")
from parliament import analyze_policy_string  # type: ignore[import-not-found] # noqa: E402 - it warns of its own imports

found = [
    {"where": name, "rule": finding.issue, "message": f"{finding.title or finding.detail} {finding.detail}"}
    for name, document in json.load(sys.stdin).items()
    for finding in analyze_policy_string(json.dumps(document), include_community_auditors=True).findings
]
json.dump(found, sys.stdout, default=str)
