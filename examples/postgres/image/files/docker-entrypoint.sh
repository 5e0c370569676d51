#!/bin/sh
# Makes the cluster at the first start, sets it up with a server that nobody else reaches, and
# becomes the server, as the official image of postgres does.
set -eu
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown -R postgres "$PGDATA"
    chmod 0700 "$PGDATA"
    chown -R postgres /var/run/postgresql
    chmod 3777 /var/run/postgresql
    exec setpriv --reuid postgres --regid postgres --init-groups -- "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --auth="${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" --no-sync >/dev/null
    echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    pg_ctl -w -o "-c listen_addresses=''" start >/dev/null
    psql --no-psqlrc -q -U postgres -c 'CREATE TABLE entry (id serial PRIMARY KEY, amount bigint NOT NULL)'
    pg_ctl -w -m fast stop >/dev/null
fi
exec "$@" -c listen_addresses='*'
