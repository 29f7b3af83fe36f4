#!/bin/sh
# Shell handlers, good and bad.
. ./shell_library

echo_event() { cat; }
answers() { echo '{"id":"'"$LAMBDA_RUNTIME_AWS_REQUEST_ID"'","cwd":"'"$PWD"'"}'; }
fails() { echo 'the tunnel collapsed' >&2; exit 3; }
returns() { return 4; }
silent() { :; }
not_json() { echo hello; }
not_utf8() { printf '"\377"'; }
ignores_stdin() { echo '"done"'; }
kills_itself() { kill -9 $$; }
sleeps() { echo 'still at it' >&2; sleep 60; }
leaks() {
  n=${LEAKED:-none}
  LEAKED=yes
  export LEAKED
  cd /
  printf '"%s"' "$n"
}
background() { sleep 300 & echo "$!"; }
escapes() { setsid sh -c 'echo $$; exec sleep 300 >/dev/null 2>&1' & sleep 0.2; }
large() { printf '"'; head -c 5000000 /dev/zero | tr '\0' x; printf '"'; }
too_large() { printf '"'; head -c 7000000 /dev/zero | tr '\0' x; printf '"'; }
endless() { yes; }
noisy() { i=0; while [ $i -lt 5000 ]; do echo "line $i of a very long story" >&2; i=$((i + 1)); done; exit 1; }
logs_json() { echo '{"level":"INFO","mine":1}' >&2; echo plain >&2; }
writes_to_dev_stdout() { echo '"by name"' > /dev/stdout; }
