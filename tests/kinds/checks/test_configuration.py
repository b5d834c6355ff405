from madang.kinds.checks.configuration import check_config_map, check_secret
from tests.kinds.checks.objects import of, told


def test_keys_and_size() -> None:
    assert told(check_config_map(of("ConfigMap", data={"a": "1", "b.txt": ""}), None)) == []
    assert told(check_config_map(of("ConfigMap", data={"..": "1"}), None)) == [
        "data[..]: Invalid value: \"..\": must not be '..'"
    ]
    big = of("ConfigMap", data={"a": "x" * (1024 * 1024 + 1)})
    assert [c.message for c in check_config_map(big, None)] == ["Too long: may not be more than 1048576 bytes"]
    assert told(check_config_map(of("ConfigMap", data={"a": "é" * 1000}), None)) == []


def test_what_is_immutable_stays() -> None:
    old = of("ConfigMap", data={"a": "1"}, immutable=True)
    new = of("ConfigMap", data={"a": "2"})
    assert told(check_config_map(new, old)) == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        "data: Forbidden: field is immutable when `immutable` is set",
    ]
    assert told(check_config_map(old, old)) == []


def test_secrets_hold_what_their_type_says() -> None:
    def secret(kind: str, **data: str) -> list[str]:
        return told(check_secret(of("Secret", type=kind, data=data), None))

    assert secret("Opaque") == []
    assert secret("kubernetes.io/basic-auth") == ["data[username]: Required value", "data[password]: Required value"]
    assert secret("kubernetes.io/basic-auth", username="eA==") == []
    assert secret("kubernetes.io/ssh-auth") == ["data[ssh-privatekey]: Required value"]
    assert secret("kubernetes.io/service-account-token") == [
        "metadata.annotations[kubernetes.io/service-account.name]: Required value"
    ]
    assert len(secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": "eA=="})) == 1
    assert told(check_secret(of("Secret", type="a"), of("Secret", type="b"))) == [
        'type: Invalid value: "a": field is immutable'
    ]
