#!/bin/sh
# Gives the data to the user of the server and becomes it, as the official image of redis does.
set -eu
if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    exec setpriv --reuid redis --regid redis --clear-groups -- "$0" "$@"
fi
exec "$@"
