#!/bin/bash -u
set -e
stops() { false; echo '"not reached"'; }
