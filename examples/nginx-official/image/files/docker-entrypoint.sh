#!/bin/sh
# Prepares the configuration as the entry points of the nginx images do, and goes on where it may not.
set -eu
conf=/etc/nginx/conf.d/default.conf
if [ ! -f "$conf" ] || grep -q 'listen  *\[::\]:80' "$conf"; then
    echo "$conf is left as it is"
elif touch "$conf" 2>/dev/null; then
    sed -i 's/listen  *80;/listen       80;\n    listen  [::]:80;/' "$conf"
else
    echo "$conf cannot be changed (a read-only file system?)"
fi
templates=/etc/nginx/templates
if [ -d "$templates" ]; then
    if [ -w /etc/nginx/conf.d ]; then
        for template in "$templates"/*.template; do
            sed "s|\${GREETING}|${GREETING:-}|g" "$template" >"/etc/nginx/conf.d/$(basename "$template" .template)"
        done
    else
        echo "/etc/nginx/conf.d cannot be written: the templates are left out"
    fi
fi
exec "$@"
