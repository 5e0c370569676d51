#!/bin/bash
# What one would have guessed: pm2-runtime is made for containers, so when it cannot start, it ends with
# an error and ECS stops the task.
#
# What was seen (pm2 7.0.4, Node.js 20): where $HOME/.pm2 cannot be made, it prints stack traces that say
# ENOENT (the recursive mkdir was refused with EROFS before, silently), never starts the application, and
# stays alive. A task without a health check stays RUNNING, which ECS counts as healthy, and serves nothing.
#
# Needs root, for a mount namespace with a read-only root.
set -euo pipefail
version=7.0.4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund "pm2@$version" >/dev/null
cat >app.js <<'JS'
console.log("the application runs");
setTimeout(() => process.exit(0), 500);
JS
mkdir home

# Its exit status is 124 where `timeout` had to end it.
run() { # ROOT(ro|rw) NAME
    local status=0
    HOME=$work/home unshare --mount sh -c '
        mount --make-rprivate /
        [ "$1" = rw ] || mount -o remount,bind,ro /
        shift
        exec "$@"' sh "$1" timeout 15 node_modules/.bin/pm2-runtime --no-autorestart app.js >"$work/$2.log" 2>&1 || status=$?
    echo "$status" >"$work/$2.status"
    echo "$2: status $status, the application ran: $(grep -c 'the application runs' "$work/$2.log" || true)," \
        "says ENOENT: $(grep -c ENOENT "$work/$2.log" || true), says EROFS: $(grep -c EROFS "$work/$2.log" || true)"
}

echo "pm2 $version, Node.js $(node --version)"
run ro read-only
run rw writable
grep -q 'the application runs' writable.log
! grep -q 'the application runs' read-only.log
grep -q 'ENOENT' read-only.log
[ "$(cat read-only.status)" = 124 ]
