"""How each known server is started from the environment that its image knows.

In: nothing. Out: shell scripts, run as `/bin/sh -c SCRIPT NAME ARGS...`. `MADANG_DATA` is the service's own data
folder, `MADANG_PLACE` where it is mounted if it can be, `MADANG_SERVER` the server's program, `HOST` the address to
listen on where instances have one of their own.
"""

# Under root's own folder another user sees its data only where they are mounted.
PLACE = """
set -eu
data="$MADANG_DATA"
[ -w "$data" ] || data="$MADANG_PLACE"
"""

REDIS = """
[ "${1:-}" = redis-server ] && shift
exec "$MADANG_SERVER" "$@" --dir "$data" --bind "${HOST:-*}" --protected-mode no --daemonize no
"""

# The variables, defaults and the order of first steps are those of the image's documentation.
POSTGRES = """
[ "${1:-}" = postgres ] && shift
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
    --auth-host="${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" ${pwfile:+"--pwfile=$pwfile"}
  rm -f "$cluster.password"
  echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$cluster.new/pg_hba.conf"
  # Inside of an address of its own the server trusts itself, as the image does.
  [ -n "${HOST:-}" ] || sed -i '1i host all all 127.0.0.1/32 trust' "$cluster.new/pg_hba.conf"
  socket=$(mktemp -d)
  trap '"$bin/pg_ctl" -D "$cluster.new" -m immediate stop; rm -rf "$socket"' EXIT
  "$bin/pg_ctl" -D "$cluster.new" -w -o "-c listen_addresses='' -k $socket" start
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
exec "$MADANG_SERVER" -D "$cluster" -c "listen_addresses=${HOST:-*}" -c unix_socket_directories= "$@"
"""

RABBITMQ = """
[ "${1:-}" = rabbitmq-server ] && shift
conf="$data/rabbitmq"
{
  echo "listeners.tcp.1 = ${HOST:-0.0.0.0}:5672"
  echo "default_user = ${RABBITMQ_DEFAULT_USER:-guest}"
  echo "default_pass = ${RABBITMQ_DEFAULT_PASS:-guest}"
  echo "default_vhost = ${RABBITMQ_DEFAULT_VHOST:-/}"
  echo "loopback_users = none"
  echo "log.console = true"
  echo "log.file = false"
} > "$conf.conf"
export HOME="$data" RABBITMQ_MNESIA_BASE="$data/mnesia" RABBITMQ_LOG_BASE="$data/log"
export RABBITMQ_CONFIG_FILE="$conf" RABBITMQ_PID_FILE="$data/pid" RABBITMQ_ENABLED_PLUGINS_FILE="$data/plugins"
export RABBITMQ_NODENAME="${RABBITMQ_NODENAME:-rabbit@localhost}"
echo "[${MADANG_PLUGINS:-}]." > "$data/plugins"
exec "$MADANG_SERVER" "$@"
"""

NGINX = """
[ "${1:-}" = nginx ] && shift
[ "${1:-}" = -g ] && shift 2
conf="$data/nginx.conf"
if [ -n "${MADANG_OWN_CONFIGURATION:-}" ]; then
  conf=/etc/nginx/nginx.conf
else
  {
    echo "pid $data/nginx.pid; error_log /dev/stderr notice; events { worker_connections 1024; }"
    echo "http {"
    [ -f /etc/nginx/mime.types ] && echo "include /etc/nginx/mime.types;"
    echo "default_type application/octet-stream; access_log /dev/stdout; sendfile on; keepalive_timeout 65;"
    for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $data/$kind;"; done
    if ls /etc/nginx/conf.d/*.conf >/dev/null 2>&1; then
      echo "include /etc/nginx/conf.d/*.conf;"
    else
      echo "server { listen ${HOST:-0.0.0.0}:${PORT:-80}; root /usr/share/nginx/html; index index.html; }"
    fi
    echo "}"
  } > "$conf"
fi
exec "$MADANG_SERVER" -c "$conf" -g "daemon off;" "$@"
"""
