#!/bin/bash
# What one would have guessed: gunicorn writes one thing, the worker's heartbeat file, so that a read-only
# root needs `--worker-tmp-dir /dev/shm` and nothing else, and its log is then the same as before.
#
# What was seen (gunicorn 27.0.1, Python 3): the master also makes ~/.gunicorn/gunicorn.ctl, a control
# socket that is on by default. With a read-only root it logs "Control server error: [Errno 30]" at level
# ERROR and serves all the same. A watch on the log for EROFS calls a healthy service broken.
# `--no-control-socket` ends both the write and the line.
#
# Needs root, for a mount namespace with a read-only root.
set -euo pipefail
version=27.0.1 port=18231
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "gunicorn==$version"
mkdir "$work/home" "$work/app"
cat >"$work/app/app.py" <<'PYTHON'
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served"]
PYTHON

# Runs gunicorn until it has answered once; keeps its log and the answer.
serve() { # ROOT(ro|rw) NAME [ARGUMENT…]
    local root=$1 name=$2
    shift 2
    HOME=$work/home unshare --mount sh -c '
        mount --make-rprivate /
        [ "$1" = rw ] || mount -o remount,bind,ro /
        shift
        exec "$@"' sh "$root" timeout 20 "$work/venv/bin/gunicorn" --chdir "$work/app" --worker-tmp-dir /dev/shm \
        --bind "127.0.0.1:$port" "$@" app:app >"$work/$name.log" 2>&1 &
    local pid=$!
    for _ in $(seq 50); do
        python3 -c "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:$port').read().decode())" \
            >"$work/$name.answer" 2>/dev/null && break
        sleep 0.2
    done
    sleep 1
    ls "$work/home/.gunicorn" >"$work/$name.files" 2>/dev/null || true
    kill "$pid"
    wait "$pid" || true
}

# The program lies on the root, so the folder of the socket has to exist for the read-only run to try.
serve rw writable
serve ro read-only
serve ro switched-off --no-control-socket
echo "gunicorn $("$work/venv/bin/gunicorn" --version)"
for name in writable read-only switched-off; do
    echo "$name: answer '$(cat "$work/$name.answer")', made '$(cat "$work/$name.files")'," \
        "control errors: $(grep -c 'Control server error: \[Errno 30\]' "$work/$name.log" || true)"
done
grep -q gunicorn.ctl "$work/writable.files"
grep -q served "$work/read-only.answer"
grep -q '\[ERROR\] Control server error: \[Errno 30\]' "$work/read-only.log"
grep -q served "$work/switched-off.answer"
! grep -q 'Control server error' "$work/switched-off.log"
