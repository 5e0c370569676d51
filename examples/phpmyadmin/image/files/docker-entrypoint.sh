#!/bin/sh
# Writes a secret of this container's own into the configuration, and starts the web server.
set -eu
secret=/etc/phpmyadmin/config.secret.inc.php
if [ ! -f "$secret" ]; then
    printf "<?php\n\$cfg['blowfish_secret'] = hex2bin('%s');\n" "$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')" >"$secret"
fi
mkdir -p /var/run/apache2 /var/lock/apache2
rm -f /var/run/apache2/apache2.pid
exec "$@"
