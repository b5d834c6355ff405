"""A project as objects: workloads, names, ports, volumes, routes, order; and what is refused."""

# ruff: noqa: E501  (a file of one service on a line reads better than one of twenty)
import base64
import json
from pathlib import Path

import pytest

from madang import app
from tests.app.compose.project_files import application, container, find, pod

HOST = "image: madang.dev/host, command: x"


def test_which_services_are_jobs(tmp_path: Path) -> None:
    made = application(
        tmp_path,
        f"""
        services:
          web: {{{HOST}, depends_on: {{migrate: {{condition: service_completed_successfully}}, db: {{condition: service_healthy}}}}}}
          migrate: {{{HOST}, restart: on-failure:4}}
          once: {{{HOST}, restart: "no"}}
          db: {{{HOST}, restart: always}}
        """,
    )
    kinds = {o["metadata"]["name"]: o["kind"] for o in made.objects if o["kind"] in ("Deployment", "Job")}
    assert kinds == {"web": "Deployment", "migrate": "Job", "once": "Job", "db": "Deployment"}
    template = find(made, "Deployment", "web")["spec"]["template"]
    assert json.loads(template["metadata"]["annotations"]["madang.dev/depends-on"]) == [
        {"service": "migrate", "condition": "completed"},
        {"service": "db", "condition": "healthy"},
    ]
    assert template["spec"]["schedulingGates"] == [{"name": "madang.dev/depends-on"}]
    assert find(made, "Job", "migrate")["spec"]["backoffLimit"] == 4
    assert pod(made, "migrate", "Job")["restartPolicy"] == "OnFailure"
    assert find(made, "Job", "once")["spec"]["backoffLimit"] == 0


def test_names_in_both_spellings_and_aliases(tmp_path: Path) -> None:
    made = application(
        tmp_path,
        f"""
        services:
          my_API: {{{HOST}, container_name: the_api, networks: {{default: {{aliases: [gw]}}}}}}
          other: {{{HOST}, links: ["my_API:api"]}}
        """,
    )
    service = find(made, "Service", "my-api")
    assert service["metadata"]["annotations"]["madang.dev/aliases"] == "my_API,the_api,gw,api"
    assert service["spec"]["clusterIP"] == "None"
    assert made.services == ["my-api", "other"]


def test_ports_inside_and_outside(tmp_path: Path) -> None:
    made = application(
        tmp_path, f'services: {{a: {{{HOST}, ports: ["8080:80", "81:80", "53:53/udp"], expose: ["9000-9001"]}}}}'
    )
    inside = [(p["name"], p["port"], p["protocol"]) for p in find(made, "Service", "a")["spec"]["ports"]]
    assert inside == [
        ("port-80", 80, "TCP"), ("udp-53", 53, "UDP"), ("port-9000", 9000, "TCP"), ("port-9001", 9001, "TCP")
    ]  # fmt: skip
    outside = find(made, "Service", "a-published")["spec"]
    assert outside["type"] == "LoadBalancer"
    assert [(p["port"], p["targetPort"]) for p in outside["ports"]] == [(8080, 80), (81, 80), (53, 53)]
    again = application(tmp_path, f'services: {{a: {{{HOST}, ports: ["80"]}}}}')
    chosen = find(again, "Service", "a-published")["spec"]["ports"][0]["port"]
    assert 20000 <= chosen < 28000
    assert (
        chosen
        == find(application(tmp_path, f'services: {{a: {{{HOST}, ports: ["80"]}}}}'), "Service", "a-published")["spec"][
            "ports"
        ][0]["port"]
    )


def test_the_port_that_only_a_healthcheck_knows(tmp_path: Path) -> None:
    made = application(
        tmp_path, f"services: {{a: {{{HOST}, healthcheck: {{test: 'curl -f http://localhost:5000/'}}}}}}"
    )
    assert [p["port"] for p in find(made, "Service", "a")["spec"]["ports"]] == [5000]
    assert container(made, "a")["ports"][0]["containerPort"] == 5000


def test_command_environment_and_their_dollars(tmp_path: Path) -> None:
    text = (
        f"services: {{a: {{{HOST}, entrypoint: /bin/e, command: ['$$(A)', '$$B'], environment: {{A: '$$(B)', N: }}}}}}"
    )
    main = container(application(tmp_path, text.replace(", command: x", "", 1)), "a")
    assert main["command"] == ["/bin/e"] and main["args"] == ["$$(A)", "$B"]
    assert main["env"] == [{"name": "A", "value": "$$(B)"}]


def test_an_empty_entrypoint_leaves_only_the_command(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM x\nENTRYPOINT ["e"]\nCMD ["c"]\n')
    text = "services: {a: {build: ., entrypoint: []}, b: {build: ., entrypoint: '', command: d}, c: {build: ., command: d}}"
    made = application(tmp_path, text)
    assert container(made, "a")["command"] == ["c"]
    assert container(made, "b")["command"] == ["d"] and "args" not in container(made, "b")
    assert container(made, "c")["args"] == ["d"] and "command" not in container(made, "c")


def test_volumes(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    made = application(
        tmp_path,
        """
        services:
          a:
            image: madang.dev/host
            command: x
            volumes: ["v:/data", "./there:/there:ro", "./new:/new", /anonymous, "v:/again"]
            tmpfs: /run:size=1m
        volumes: {v: }
        """,
    )
    spec = pod(made, "a")
    sources = [{k: v for k, v in one.items() if k != "name"} for one in spec["volumes"]]
    assert sources == [
        {"hostPath": {"path": f"{tmp_path}/home/volumes/p/v", "type": "DirectoryOrCreate"}},
        {"hostPath": {"path": f"{tmp_path}/there"}},
        {"hostPath": {"path": f"{tmp_path}/new", "type": "DirectoryOrCreate"}},
        {"emptyDir": {}},
        {"emptyDir": {"medium": "Memory", "sizeLimit": "1048576"}},
    ]
    mounts = [(m["name"], m["mountPath"], m.get("readOnly", False)) for m in container(made, "a")["volumeMounts"]]
    assert mounts == [
        ("volume-0", "/data", False), ("volume-1", "/there", True), ("volume-2", "/new", False),
        ("volume-3", "/anonymous", False), ("volume-0", "/again", False), ("volume-4", "/run", False),
    ]  # fmt: skip


def test_configs_secrets_and_env_files(tmp_path: Path) -> None:
    (tmp_path / "e.env").write_text("A=1\nB=$A\n")
    text = """
    services:
      a:
        image: madang.dev/host
        command: x
        env_file: [e.env, {path: nope.env, required: false}]
        configs: [c, {source: d, target: /etc/d, mode: 0440}]
        secrets: [s]
    configs: {c: {content: "hello"}, d: {content: "you"}}
    secrets: {s: {file: ./e.env}}
    """
    made = application(tmp_path, text)
    assert find(made, "ConfigMap", "config-c")["data"] == {"c": "hello"}
    env = find(made, "Secret", "a-env")["data"]
    assert {k: base64.b64decode(v) for k, v in env.items()} == {"A": b"1", "B": b"1"}
    main = container(made, "a")
    assert main["envFrom"] == [{"secretRef": {"name": "a-env"}}]
    assert [(m["mountPath"], m["subPath"]) for m in main["volumeMounts"]] == [
        ("/c", "c"), ("/etc/d", "d"), ("/run/secrets/s", "s")
    ]  # fmt: skip
    before = find(made, "Deployment", "a")["spec"]["template"]["metadata"]["annotations"]["madang.dev/files"]
    (tmp_path / "e.env").write_text("A=2\n")
    after = find(application(tmp_path, text), "Deployment", "a")["spec"]["template"]["metadata"]["annotations"]
    assert before != after["madang.dev/files"], "changed files must change the pods"


def test_limits_do_not_reserve(tmp_path: Path) -> None:
    text = f"services: {{a: {{{HOST}, deploy: {{resources: {{limits: {{cpus: 0.5, memory: 1g}}}}}}}}, b: {{{HOST}, mem_limit: 5k}}}}"
    made = application(tmp_path, text)
    assert container(made, "a")["resources"] == {
        "limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "0", "memory": "0"}
    }  # fmt: skip
    assert container(made, "b")["resources"]["limits"] == {"memory": "5Ki"}


def test_updates(tmp_path: Path) -> None:
    update = "deploy: {update_config: {parallelism: 2, order: stop-first, monitor: 3s}}"
    made = application(tmp_path, f"services: {{a: {{{HOST}, {update}}}, b: {{{HOST}}}}}")
    spec = find(made, "Deployment", "a")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 2} and spec["minReadySeconds"] == 3
    assert find(made, "Deployment", "b")["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_route_and_scale(tmp_path: Path) -> None:
    own = "x-madang: {route: {host: a.localhost, path: /x}, scale: {min: 2, max: 4, cpu: 50%}}"
    made = application(tmp_path, f"services: {{a: {{{HOST}, expose: ['80'], {own}}}}}")
    route = find(made, "HTTPRoute", "a")["spec"]
    assert route["hostnames"] == ["a.localhost"] and route["parentRefs"] == [
        {"name": "madang", "namespace": "kube-system"}
    ]
    assert route["rules"] == [
        {"matches": [{"path": {"type": "PathPrefix", "value": "/x"}}], "backendRefs": [{"name": "a", "port": 80}]}
    ]
    scaler = find(made, "HorizontalPodAutoscaler", "a")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 4)
    assert scaler["metrics"][0]["resource"]["target"] == {"type": "AverageValue", "averageValue": "500m"}
    assert find(made, "Deployment", "a")["spec"]["replicas"] == 2
    assert find(made, "Service", "a")["metadata"]["annotations"] == {"madang.dev/protocol": "http"}


def test_keys_without_effect_are_named_with_the_reason(tmp_path: Path) -> None:
    made = application(
        tmp_path, f"services:\n  a:\n    {{{HOST},\n     privileged: true, pull_policy: build, logging: {{driver: x}}}}"
    )
    at = f"{tmp_path / 'compose.yaml'}:4: services.a"
    assert made.warnings == [
        f"{at}.logging: is not honoured: logs are kept by the courtyard and rotated; `madang logs` shows them",
        f"{at}.privileged: is not honoured: it changes what a container may do; a program of this machine may do "
        "what its user may",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"services: {{a: {{{HOST}, deploy: {{replicas: two}}}}}}", 'services.a.deploy.replicas: expected a whole number, found "two"'),
        (f"services: {{a: {{{HOST}, depends_on: [b]}}}}", 'services.a.depends_on.b: there is no service "b"; there are a'),
        (
            f"services: {{a: {{{HOST}, depends_on: [b]}}, b: {{{HOST}, profiles: [dev]}}}}",
            'services.a.depends_on.b: the service "b" is only there with --profile dev',
        ),
        (f"services: {{a: {{{HOST}, depends_on: [b]}}, b: {{{HOST}, depends_on: [a]}}}}", "services.a.depends_on: waits for itself: a -> b -> a"),
        (f"services: {{a: {{{HOST}, ports: ['80:1']}}, b: {{{HOST}, ports: ['80:2']}}}}", "services.b.ports[0]: port 80 is published by a already"),
        (f"services: {{a: {{{HOST}, ports: ['80:1']}}, a-published: {{{HOST}}}}}", "services.a: its published ports are called a-published, and so is a service: rename one"),
        (f"services: {{a_b: {{{HOST}}}, a-b: {{{HOST}}}}}", 'services.a-b: becomes the object name "a-b", and so does a_b: rename one'),
        (f"services: {{a: {{{HOST}, volumes: ['dat:/d']}}}}\nvolumes: {{data: }}", 'services.a.volumes[0]: the volume "dat" is not declared; did you mean "data"?'),
        (f"services: {{a: {{{HOST}, secrets: [s]}}}}", 'services.a.secrets[0]: "s" is not declared: add it under secrets:'),
        (f"services: {{a: {{{HOST}, x-madang: {{scal: 1}}}}}}", 'services.a.x-madang.scal: unknown key "scal"; did you mean "scale"?'),
        (f"services: {{a: {{{HOST}, x-madang: {{route: {{host: x}}}}}}}}", "services.a.x-madang.route: leads to a service without a known port: add port, or expose to the service"),
        ("services: {a: {command: x}}", "services.a: has neither build nor image: give it a build: folder, or an image that this machine has a program for"),
        (f"services: {{a: {{{HOST}, profiles: [dev]}}}}", "there is no service to start; all of them belong to profiles: --profile dev"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(app.ApplicationError) as caught:
        application(tmp_path, text)
    assert caught.value.messages[0].startswith(f"{tmp_path / 'compose.yaml'}:1: ")
    assert caught.value.messages[0].split(":1: ", 1)[1] == said


def test_only_root_runs_programs_as_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"services: {{a: {{{HOST}, user: '1234:5'}}}}"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert container(application(tmp_path, text), "a")["securityContext"] == {"runAsUser": 1234, "runAsGroup": 5}
    monkeypatch.setattr("os.geteuid", lambda: 77)
    made = application(tmp_path, text)
    assert "securityContext" not in container(made, "a")
    assert made.warnings[0].endswith("only root may start programs as somebody else; the service runs as you")


@pytest.mark.parametrize(("dockerfile", "told"), [("FROM x\n", "has no CMD"), ("", "is not there")])
def test_nothing_to_run_says_whether_there_is_a_dockerfile(tmp_path: Path, dockerfile: str, told: str) -> None:
    (tmp_path / "a").mkdir()
    if dockerfile:
        (tmp_path / "a" / "Dockerfile").write_text(dockerfile)
    with pytest.raises(app.ApplicationError, match=f"Dockerfile {told}, and the service has no command"):
        application(tmp_path, "services: {a: {build: a}}")


def test_what_is_said_of_several_dockerfiles_is_said_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text('FROM x\nRUN make\nCMD ["c"]\n')
    made = application(tmp_path, "services: {a: {build: a}, b: {build: b}}")
    assert made.warnings == ["a/Dockerfile, b/Dockerfile: line 2: RUN make: is done only inside an image"]


@pytest.mark.parametrize(
    ("own", "unsure"),
    [
        ("command: python job.py", True),
        ("entrypoint: [python, job.py]", True),
        ("command: python job.py, ports: ['80']", False),
        ("command: python job.py, expose: ['80']", False),
        ("restart: always", False),
    ],
)
def test_a_worker_made_of_a_servers_folder_may_never_listen(tmp_path: Path, own: str, unsure: bool) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nEXPOSE 80\nCMD serve\n")
    made = application(tmp_path, f"services: {{a: {{build: ., {own}}}}}")
    notes = find(made, "Deployment", "a")["spec"]["template"]["metadata"].get("annotations", {})
    assert (notes.get("madang.dev/listens") == "maybe") == unsure


def test_resolvers(tmp_path: Path) -> None:
    made = application(
        tmp_path,
        f"""
        services:
          own: {{{HOST}, dns: [192.0.2.1, 192.0.2.2], dns_search: x.example, dns_opt: ["ndots:2", use-vc]}}
          search: {{{HOST}, dns_search: [y.example]}}
          none: {{{HOST}, dns_search: .}}
        """,
    )
    own = pod(made, "own")
    assert own["dnsPolicy"] == "None" and own["dnsConfig"] == {
        "nameservers": ["192.0.2.1", "192.0.2.2"],
        "searches": ["x.example"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "use-vc"}],
    }
    search = pod(made, "search")
    assert "dnsPolicy" not in search and search["dnsConfig"] == {"searches": ["y.example"]}
    assert "dnsConfig" not in pod(made, "none")
