from typing import Any

import pytest

from madang.kinds.checks.probes import check_probe
from tests.kinds.checks.objects import told

TCP = {"tcpSocket": {"port": 1}}


@pytest.mark.parametrize(
    ("name", "probe", "faults"),
    [
        ("readinessProbe", TCP | {"successThreshold": 3}, []),
        ("readinessProbe", TCP | {"terminationGracePeriodSeconds": 5},
         ["p.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes"]),
        ("startupProbe", TCP | {"successThreshold": 3}, ["p.successThreshold: Invalid value: 3: must be 1"]),
        ("livenessProbe", TCP | {"periodSeconds": -1},
         ["p.periodSeconds: Invalid value: -1: must be greater than or equal to 0"]),
        ("livenessProbe", {"httpGet": {"path": "/", "port": "web", "scheme": "FTP",
                                       "httpHeaders": [{"name": "X A"}]}},
         ['p.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
          "p.httpGet.httpHeaders: Invalid value: \"X A\": a valid HTTP header must consist of alphanumeric characters "
          "or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"]),
        ("livenessProbe", {"grpc": {"port": 0}},
         ["p.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive"]),
    ],
)  # fmt: skip
def test_probes(name: str, probe: dict[str, Any], faults: list[str]) -> None:
    assert told(check_probe(probe, name, "p", 30)) == faults
