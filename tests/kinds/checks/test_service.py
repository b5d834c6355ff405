import copy
from typing import Any

import pytest

from madang.kinds.checks.endpoint_slice import check_endpoint_slice
from madang.kinds.checks.service import check_service
from tests.kinds.checks.objects import of, told

PORT = [{"port": 80}]


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ({"ports": PORT}, []),
        ({"clusterIP": "None"}, []),
        ({"clusterIP": "None", "type": "NodePort", "ports": PORT},
         ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"]),
        ({"ports": [{"port": 80, "nodePort": 30000}]},
         ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
        ({"ports": [{"port": 80, "targetPort": "Bad"}]},
         ['spec.ports[0].targetPort: Invalid value: "Bad": must contain only alpha-numeric characters (a-z, 0-9), and '
          "hyphens (-)"]),
        ({"ports": [{"port": 0}]}, 2),
        ({"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]},
         ['spec.ports[1].name: Duplicate value: "a"']),
        ({"ports": [{"port": 10250}], "type": "LoadBalancer"},
         ["spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet"]),
        ({"ports": PORT, "externalTrafficPolicy": "Local"}, 1),
        ({"ports": PORT, "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}},
         1),
    ],
)  # fmt: skip
def test_services(spec: dict[str, Any], faults: list[str] | int) -> None:
    found = told(check_service(of("Service", spec=spec), None))
    assert len(found) == faults if isinstance(faults, int) else found == faults


def test_an_address_stays() -> None:
    old = of("Service", spec={"ports": PORT, "clusterIP": "10.0.0.1"})
    new = copy.deepcopy(old)
    new["spec"] |= {"clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.2"]}
    assert told(check_service(new, old)) == ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set']
    gone = of("Service", spec={"type": "ExternalName", "externalName": "a.b"})
    assert told(check_service(gone, old)) == []


def test_slices() -> None:
    good = of("EndpointSlice", "discovery.k8s.io/v1", addressType="IPv4",
              endpoints=[{"addresses": ["127.0.0.1"]}], ports=[{"name": "a", "port": 80}])  # fmt: skip
    assert told(check_endpoint_slice(good, None)) == []
    bad = {**good, "addressType": "IPv6", "endpoints": [{"addresses": []}, {"addresses": ["1.2.3.4"]}],
           "ports": [{"name": "a", "port": 0, "protocol": "TCP"}, {"name": "a", "protocol": "X"}]}  # fmt: skip
    assert told(check_endpoint_slice(bad, good)) == [
        "endpoints[0].addresses: Required value: must contain at least 1 address",
        'endpoints[1].addresses[0]: Invalid value: "1.2.3.4": must be an IPv6 address',
        "ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        'ports[1].name: Duplicate value: "a"',
        'ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
        'addressType: Invalid value: "IPv6": field is immutable',
    ]
