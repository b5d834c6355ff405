"""What flows past the store, to and from a pod's containers: logs, exec, attach, port-forward."""
