"""docs/compose.md, made from the tables: what becomes of each Compose key, which images have a program.

In: nothing. Out: Markdown. `./dev docs` writes it; a test keeps the file in step with this.
"""

from madang.app.compose.keys import TABLE, Key
from madang.app.images.table import TABLE as SERVERS

HEAD = """# Compose files

Made by `./dev docs` from the tables in `src/madang/app`; don't edit it by hand.

`madang up` reads a Compose file by the Compose Specification's own rules: `.env` and `--env-file`, every form of
`${NAME}`, anchors and `<<`, several `-f` (or `compose.override.yaml`, found by itself) with `!reset` and `!override`,
`extends`, `include`, `profiles`. It is checked against the specification's schema first; a wrong file is refused as a
whole, with file, line, path, what was found and what is allowed, and nothing is applied.

`madang up --env staging` takes `compose.staging.yaml` and `.env.staging` (one of them is enough) over the base file and
`.env`, in place of `compose.override.yaml`; one line says which files were taken. `madang image ls --envs` then shows
which image runs in which environment.

## What it becomes

| in the file | in the courtyard |
|---|---|
| the project | a namespace of its name |
| a service | a Deployment; a Job where it is awaited with `service_completed_successfully`, or says `restart: "no"` |
| its names (the service's, `container_name`, network aliases, links) | a Service of that name and its aliases |
| `ports` | a Service of type LoadBalancer called NAME-published, opened on 127.0.0.1 (`--listen` for others) |
| a named volume | a folder of the courtyard, which outlives everything but `madang down --purge` |
| `healthcheck` | readiness and liveness probes of its interval, timeout and retries, once a startup probe passed |
| `x-madang` | what Compose has no word for; every other tool ignores it |

In a Service's name `_` and capitals become `-` and small letters, and the name as it was written resolves as well.
A published port that names no number outside gets one from 20000 to 27999, the same at each start.

A healthcheck that asks localhost by `curl -f`, `wget`, Python's `urlopen`, `nc -z` or `/dev/tcp` becomes an HTTP or TCP
probe, which costs no process and holds where an instance listens on an address of its own. Any other runs as it is.

A startup probe has the patience of `start_period` and the retries, at least two minutes; after it an instance that
fails its check is restarted, where other tools only mark it.

A service that names no port (`ports`, `expose`, the Dockerfile's `EXPOSE`, a healthcheck's) gets a headless Service:
its name leads to the instances themselves, on any port.

Limits without reservations reserve nothing.

## x-madang

```yaml
services:
  web:
    build: ./web
    x-madang:
      route: { host: shop.localhost, path: / }   # an HTTPRoute of the front door; `port` where there are several
      scale: { min: 2, max: 5, cpu: 70% }        # a HorizontalPodAutoscaler; % of what is reserved, else of the limit
      runtime: container                         # or host, or auto: see below; over `madang up --runtime`
```

## In a container, or as a program of this machine

Each service runs in one of two ways, and `madang up` says which and why. It is a container where containers work here
(`madang status`) and its image is here, or, with `build:`, all images that its Dockerfile stands on: then the image is
built, step by step, and named by all that it is made of, so that an unchanged source builds nothing and a changed one
rolls out that service alone. Else it is a program of this machine. No registry is asked: `madang image pull
python:3-slim` brings an image.

What was chosen stays, whatever comes or goes, until `--runtime container`, `host` or `auto` (chosen anew) says
otherwise, or `x-madang: runtime:` does for one service; `container` fetches what is lacking. Named volumes are the same
folders in both. A folder with `pyproject.toml` or `requirements.txt` needs no Dockerfile in a container (see
[build.md](build.md)). `madang up --build` builds anew.

## develop.watch

`madang up --watch` looks at the sources. A service without rules of its own is made anew when a file of its folder
changes; one with `develop.watch` does what its rules say:

| action | in a container | as a program of this machine |
|---|---|---|
| `sync` | the file is written into what runs, at `target` | nothing to do where the program reads it there already |
| `restart`, `sync+restart` | the program is started again in its place, and keeps what was written | the same |
| `sync+exec` | then `exec.command` runs in each instance | the same |
| `rebuild` | image and rolling update of that service alone | environment and rolling update |

What cannot be done so is built anew, and said. `ignore` and `include` are patterns as in `.dockerignore`, relative to
`path`; `initial_sync` brings all files when the watch begins. A file that is written stays until the instance is
replaced. Files that are there twice in one second with one size look alike to Python's own cache.

## build: without containers

The last stage of the Dockerfile (or `target`) says what to run, where, with which environment and on which ports; the
source stands at its `COPY` targets where private mounts work, else the program runs in the source folder itself.
`requirements.txt` or `pyproject.toml` gets a virtual environment kept by content, to which what the Dockerfile's
`RUN pip install` names is added; `package.json` gets `npm ci`. A step
that would only matter inside an image is named in a warning. A changed source file is a new version, and so a rolling
update; databases (`*.db`, `*.sqlite`) and logs that a program keeps beside its source are none. Nothing is copied: an
instance runs the files as they are when it starts, so `rollout undo` brings back earlier settings, not earlier files:
those come from git (`git checkout`, then `madang up`), or from an `image:` of each version.
A program runs as who started the courtyard; as root the Compose key `user` chooses another, and a Dockerfile's `USER`,
who is a user of the image, is named in a warning.

A service with ports is ready once it listens on one. Where they are only the Dockerfile's `EXPOSE` and the command is
another (a worker made of a server's folder), it is ready after five seconds also without.

## image: without containers

A server of this machine of the same major version (`--allow-other-versions` for another) stands for:

"""


def servers() -> str:
    rows = ["| image | program | data | port |", "|---|---|---|---|"]
    for row in SERVERS:
        ports = ", ".join(str(p) for p in row.ports)
        data = row.data[0] if row.data else ""
        rows.append(f"| {row.image} | `{row.program}` (Debian: {row.install}) | {data} | {ports} |")
    return "\n".join(rows)


def keys(honoured: bool) -> str:
    rows = [f"| key | {'becomes' if honoured else 'why not'} |", "|---|---|"]
    rows += [f"| `{key.name}` | {cell(key)} |" for key in TABLE if bool(key.becomes) is honoured]
    return "\n".join(rows)


def cell(key: Key) -> str:
    return (key.becomes or key.because).replace("|", "\\|")


def markdown() -> str:
    return f"""{HEAD}{servers()}

Tags such as `7`, `7.2-alpine` or `3-management` and full names (`docker.io/library/redis:7`) mean the same server.
The image's usual environment variables are read by the same names, files that are mounted where the image reads them
(`/etc/nginx/conf.d`, `/etc/rabbitmq/rabbitmq.conf`, `/docker-entrypoint-initdb.d`) are honoured, and so is nginx's
`templates` folder; the machine's own configuration of such a server is neither read nor written. A server with data has
one instance. Its tools work inside: `madang exec cache redis-cli`, `madang exec db psql -U postgres`,
`madang exec mq rabbitmqctl list_queues`.

nginx runs on a copy of its configuration: without root it listens on its instance's own address, 8000 higher where the
port is below 1024 (callers notice nothing), and `proxy_pass http://api:8000` leads to where that service is. A
`resolver 127.0.0.11` becomes this machine's.

A Dockerfile that only adds files to one of these images (`FROM nginx`, `COPY`) runs the server with those files.
An image that is here (`madang image ls`) runs in a container, whatever its name. Any other is refused, and the refusal
names the ways out; `image: madang.dev/host` runs a command of this machine.

## Keys that are honoured

{keys(True)}

## Keys that are not

Each use is named in a warning, with its place and this reason.

{keys(False)}
"""
