"""The objects that the user of the simulated house asks for.

In: names and numbers. Out: manifests. Each service is asked for its health in a way of its own: `web` over HTTP,
`cart` by a command and with its settings in a volume, `pay` by its open port.
"""

from madang.ports.objects import Obj
from madang.ports.program import HOST

NAMESPACE = "default"
REQUEST_CORES = 0.25
SETTINGS = "settings"  # a ConfigMap, a volume of `cart`
HALF = 50  # percent of its request that a pod is to use
STEADY_S = 12  # longer than a young pod is not counted: else its start would look like less load


def service(name: str, namespace: str = NAMESPACE) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def deployment(name: str, replicas: int, unavailable: int, namespace: str = NAMESPACE) -> Obj:
    probe: Obj = {"httpGet": {"path": "/", "port": 8080}}
    container: Obj = {
        "name": "main",
        "image": HOST,
        "command": ["serve", "0.3"],
        "env": [{"name": "VERSION", "value": "v1"}, {"name": "APP", "value": name}],
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "250m", "memory": "64Mi"}},
        "livenessProbe": {**probe, "periodSeconds": 1, "failureThreshold": 3},
    }
    spec: Obj = {"containers": [container], "terminationGracePeriodSeconds": 2}
    if name == "cart":
        check = {"exec": {"command": ["check"]}, "timeoutSeconds": 1}
        container["readinessProbe"] = {**check, "periodSeconds": 1, "failureThreshold": 2}
        container["volumeMounts"] = [{"name": SETTINGS, "mountPath": f"/etc/{SETTINGS}"}]
        spec["volumes"] = [{"name": SETTINGS, "configMap": {"name": SETTINGS}}]
    elif name != "pay":
        container["readinessProbe"] = {**probe, "periodSeconds": 1, "failureThreshold": 2}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    rolling = {"maxSurge": 1, "maxUnavailable": unavailable}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "template": template,
        },
    }


def settings(level: int) -> Obj:
    """Two keys that belong together: who reads one of them with the other of another time has seen half a change."""
    data = {"level": str(level), "same": str(level)}
    metadata = {"name": SETTINGS, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def autoscaler(name: str, least: int, most: int) -> Obj:
    target = {"type": "Utilization", "averageUtilization": HALF}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": STEADY_S}},
        },
    }


def job(name: str, completions: int) -> Obj:
    container = {"name": "main", "image": HOST, "command": ["work", "0.4", "0"]}
    template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"completions": completions, "parallelism": 2, "backoffLimit": 60, "template": template},
    }
