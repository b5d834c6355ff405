"""How each known server is started from the environment that its image knows; nginx.py does it for nginx.

In: nothing. Out: shell scripts, run as `/bin/sh -c SCRIPT NAME ARGS...`. `MADANG_DATA` is the service's own data
folder, `MADANG_PLACE` where it is mounted if it can be, `MADANG_SERVER` the server's program, `HOST` the address to
listen on where instances have one of their own. A command that is not the server's is run in its place, as there.
"""

# Under root's own folder another user sees its data only where they are mounted.
PLACE = """
set -eu
data="$MADANG_DATA"
[ -w "$data" ] || data="$MADANG_PLACE"
"""

# Held by the server itself from here on: who is killed lets go of it, in whatever way.
ALONE = """
if command -v flock >/dev/null; then
  exec 9>"$data/.madang-lock"
  flock -w 10 9 || { echo "another instance works in $data, which has room for one: replicas: 1" >&2; exit 1; }
fi
"""

REDIS = f"""
case "${{1:-}}" in
  redis-server) shift ;;
  ""|-*|*.conf) ;;
  *) cd "$data"; exec "$@" ;;
esac
{ALONE}
exec "$MADANG_SERVER" "$@" --dir "$data" --bind "${{HOST:-*}}" --protected-mode no --daemonize no
"""

# What stands on PATH as redis-cli: where instances share a machine it asks its own.
REDIS_CLI = """#!/bin/sh
exec "{program}" ${{HOST:+-h "$HOST"}} "$@"
"""

# The variables, defaults and the order of first steps are those of the image's documentation.
POSTGRES = (
    f"""
case "${{1:-}}" in
  postgres) shift ;;
  ""|-*) ;;
  *) exec "$@" ;;
esac
{ALONE}
"""
    + """
secret() {
  eval "file=\\${$1_FILE:-}"
  if [ -n "$file" ]; then cat "$file"; else eval "printf %s \\"\\${$1:-$2}\\""; fi
}
bin=$(dirname "$(readlink -f "$MADANG_SERVER")")
psql=$(command -v "$bin/psql" || command -v psql)
user=$(secret POSTGRES_USER postgres)
password=$(secret POSTGRES_PASSWORD "")
name=$(secret POSTGRES_DB "$user")
umask 077
cluster="$data/cluster"
[ ! -s "$data/PG_VERSION" ] || cluster="$data"
if [ ! -s "$cluster/PG_VERSION" ]; then
  if [ -z "$password" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    echo "POSTGRES_PASSWORD must be set (or POSTGRES_HOST_AUTH_METHOD=trust, which lets everybody in)" >&2
    exit 1
  fi
  rm -rf "$cluster.new"
  pwfile=
  if [ -n "$password" ]; then
    pwfile="$cluster.password"
    trap 'rm -f "$pwfile"' EXIT
    printf '%s\\n' "$password" > "$pwfile"
  fi
  "$bin/initdb" -D "$cluster.new" -U "$user" --auth-local=trust -E UTF8 ${POSTGRES_INITDB_ARGS:-} \\
    --auth-host="${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" ${pwfile:+"--pwfile=$pwfile"} 9>&-
  rm -f "$cluster.password"
  echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$cluster.new/pg_hba.conf"
  # Inside of an address of its own the server trusts itself, as the image does.
  [ -n "${HOST:-}" ] || sed -i '1i host all all 127.0.0.1/32 trust' "$cluster.new/pg_hba.conf"
  socket=$(mktemp -d)
  trap '"$bin/pg_ctl" -D "$cluster.new" -m immediate stop; rm -rf "$socket"' EXIT
  "$bin/pg_ctl" -D "$cluster.new" -w -o "-c listen_addresses='' -k $socket" start 9>&-
  ask="$psql -v ON_ERROR_STOP=1 --no-password -h $socket -U $user"
  [ "$name" = postgres ] || printf 'CREATE DATABASE :"name";\\n' | $ask -d postgres -v "name=$name"
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sql) $ask -d "$name" -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | $ask -d "$name" ;;
      *.sh) PGHOST=$socket POSTGRES_USER=$user POSTGRES_DB=$name sh "$file" ;;
    esac
  done
  "$bin/pg_ctl" -D "$cluster.new" -m fast -w stop
  trap - EXIT
  rm -rf "$socket"
  mv "$cluster.new" "$cluster"
fi
# Its own clients (psql, pg_dump) find it by PGHOST; a path that is too long for a socket is left out.
socket="$MADANG_PLACE"
[ ${#socket} -lt 85 ] && [ -w "$socket" ] || socket=
exec "$MADANG_SERVER" -D "$cluster" -c "listen_addresses=${HOST:-*}" -c "unix_socket_directories=$socket" "$@"
"""
)

# What the server and its tools read alike is in rabbitmq-env.conf, so that `madang exec ... rabbitmqctl` finds it. On
# a machine whose instances share one port space each has numbers of its own for Erlang's ways between them.
RABBITMQ = (
    f"""
own="$data/.madang"
mkdir -p "$own"
if [ "${{1:-}}" = rabbitmq-server ]; then shift; fi
case "${{1:-}}" in
  ""|-*) set -- "$MADANG_SERVER" "$@"
{ALONE} ;;
esac
"""
    + """
# What the service mounts below /etc/rabbitmq, also as a whole folder.
mounted() {
  echo "${MADANG_FILES:-}" | sed -n "s|^etc/rabbitmq=\\(.*\\)|\\1/$1|p; s|^etc/rabbitmq/$1=||p"
}
configurations() {
  mounted rabbitmq.conf
  mounted 'conf.d/[^=]*'
  for folder in $(mounted conf.d); do ls "$folder"/*.conf 2>/dev/null || :; done
}
{
  echo "export HOME='$data' RABBITMQ_MNESIA_BASE='$data/mnesia' RABBITMQ_LOG_BASE='$data/log' LC_ALL=C.UTF-8"
  echo "export RABBITMQ_CONFIG_FILE='$own/rabbitmq' RABBITMQ_PID_FILE='$own/pid'"
  echo "export RABBITMQ_ENABLED_PLUGINS_FILE='$own/enabled_plugins'"
  advanced=$(mounted advanced.config)
  echo "export RABBITMQ_ADVANCED_CONFIG_FILE='${advanced:-$own/advanced.config}'"
  if [ -z "${RABBITMQ_NODENAME:-}" ]; then
    echo "export RABBITMQ_NODENAME=rabbit@localhost ERL_EPMD_ADDRESS=127.0.0.1"
  fi
  if [ -n "${HOST:-}" ]; then
    number=$(echo "$HOST" | awk -F. '{ print ($2 * 7919 + $3 * 256 + $4) % 5000 }')
    echo "export ERL_EPMD_PORT=$((10000 + number)) RABBITMQ_DIST_PORT=$((15000 + number))"
    echo "export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'"
  fi
} > "$own/rabbitmq-env.conf.new"
mv "$own/rabbitmq-env.conf.new" "$own/rabbitmq-env.conf"
enabled=$(mounted enabled_plugins)
if [ -f "$enabled" ]; then
  cat "$enabled" > "$own/enabled_plugins"
else
  echo "[${MADANG_PLUGINS:-}]." > "$own/enabled_plugins"
fi
theirs=$(configurations | while read -r file; do if [ -f "$file" ]; then cat "$file"; echo; fi; done)
# Files that it names by their places inside are named where they are.
theirs=$(echo "$theirs" | sed "$(echo "${MADANG_FILES:-}" | sort -r | sed -n 's|^\\([^=]*\\)=\\(.*\\)|s#/\\1#\\2#g|p')")
if [ -n "${HOST:-}" ]; then
  number="s/^ *([a-z_.]*listeners\\.tcp\\.[a-z0-9_]+) *= *(.*:)?([0-9]+) *\\$/\\1 = $HOST:\\3/"
  theirs=$(echo "$theirs" | sed -E -e "$number" -e '/^ *(management|prometheus)\\.tcp\\.ip/d')
fi
{
  echo "loopback_users.guest = false"
  echo "log.console = true"
  echo "log.file = false"
  echo "$theirs"
  if [ -n "${HOST:-}" ]; then
    echo "$theirs" | grep -q '^ *listeners\\.' || echo "listeners.tcp.1 = $HOST:5672"
    for door in management prometheus; do
      ! grep -q "rabbitmq_$door" "$own/enabled_plugins" || echo "$door.tcp.ip = $HOST"
    done
    grep -q rabbitmq_management "$own/enabled_plugins" && ! echo "$theirs" | grep -q '^ *management\\.tcp\\.port' \\
      && echo "management.tcp.port = 15672" || :
  fi
} > "$own/rabbitmq.conf"
export RABBITMQ_CONF_ENV_FILE="$own/rabbitmq-env.conf" RUNNING_UNDER_SYSTEMD=yes
. "$RABBITMQ_CONF_ENV_FILE"
exec "$@"
"""
)
