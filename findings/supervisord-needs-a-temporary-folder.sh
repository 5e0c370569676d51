#!/bin/bash
# What one would have guessed: supervisord whose log, pid file, childlogdir and every program's log are set
# to places that can be written needs no /tmp.
#
# What was seen (supervisor 4.3.0): it looks for a temporary folder while it reads its configuration, for
# the default of childlogdir, also where childlogdir is set and nothing would ever be written there. Where
# the root is read-only it ends with status 1 and "No usable temporary directory found" (errno 2, no word
# of EROFS) before any program starts. TMPDIR that names a writable folder is enough; it stays empty.
#
# Needs root, for a mount namespace with a read-only root.
set -euo pipefail
version=4.3.0
work=$(mktemp -d)
shm=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$work" "$shm"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "supervisor==$version" setuptools==80.9.0
cat >"$work/supervisord.conf" <<CONF
[supervisord]
nodaemon=true
user=root
logfile=/dev/null
logfile_maxbytes=0
pidfile=$shm/supervisord.pid
childlogdir=$shm
[program:one]
command=/bin/echo the program runs
startsecs=0
autorestart=false
stdout_logfile=$shm/one.log
stdout_logfile_maxbytes=0
redirect_stderr=true
CONF

run() { # NAME [VARIABLE=VALUE]
    local name=$1 status=0
    shift
    rm -f "$shm/one.log"
    env "$@" unshare --mount sh -c 'mount --make-rprivate / && mount -o remount,bind,ro / && cd / && exec "$@"' sh \
        timeout --signal TERM 5 "$work/venv/bin/supervisord" -c "$work/supervisord.conf" >"$work/$name.log" 2>&1 || status=$?
    echo "$status" >"$work/$name.status"
    echo "$name: status $status, the program ran: $(grep -c 'the program runs' "$shm/one.log" 2>/dev/null || true)"
}

echo "supervisor $("$work/venv/bin/supervisord" --version)"
run without-temporary-folder
run with-one TMPDIR="$shm"
[ "$(cat "$work/without-temporary-folder.status")" = 1 ]
grep -q 'No usable temporary directory found' "$work/without-temporary-folder.log"
! grep -qi 'read-only' "$work/without-temporary-folder.log"
grep -q 'the program runs' "$shm/one.log"
