import pytest

from madang.kinds import names


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (names.dns_label, "a-1"),
        (names.dns_subdomain, "a.b-c.d"),
        (names.dns_1035_label, "a1"),
        (names.qualified_name, "example.com/My.Name_1"),
        (names.label_value, ""),
        (names.config_key, "a.B_c-d"),
        (names.env_name, "MY.VAR-1"),
        (names.port_name, "http-1"),
        (names.ip_address, "::1"),
        (names.header_name, "X-A"),
        (names.percent, "25%"),
        (names.cidr, "10.0.0.0/8"),
    ],
)
def test_good_names_have_no_faults(check: names.Faults, good: str) -> None:
    assert check(good) == ()  # type: ignore[operator]


def test_a_label_says_what_is_allowed() -> None:
    assert names.dns_label("C_c") == (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    )
    assert names.dns_label("a.b") == ("must not contain dots",)
    assert names.dns_label("a" * 64) == ("must be no more than 63 characters",)


def test_qualified_names_name_the_part_that_is_wrong() -> None:
    assert names.qualified_name("a b")[0].startswith("name part must consist of")
    assert names.qualified_name("a b/c")[0].startswith("prefix part a lowercase RFC 1123 subdomain")
    assert names.qualified_name("/c") == ("prefix part must be non-empty",)
    assert names.qualified_name("a/")[0] == "name part must be non-empty"
    assert names.qualified_name("a/b/c")[0].startswith("a qualified name must consist of")
    assert names.qualified_name("x" * 64) == ("name part must be no more than 63 characters",)


def test_config_keys_are_no_paths() -> None:
    assert names.config_key("..") == ("must not be '..'",)
    assert names.config_key(".") == ("must not be '.'",)
    assert names.config_key("..a") == ("must not start with '..'",)


def test_port_names_count_each_fault() -> None:
    assert names.port_name("1--2-") == (
        "must contain at least one letter (a-z)",
        "must not contain consecutive hyphens",
        "must not begin or end with a hyphen",
    )
    assert names.port_name("sixteen-letters-")[0] == "must be no more than 15 characters"


def test_a_generated_name_is_checked_without_its_tail() -> None:
    assert names.generated("web-") == "weba"
    assert names.generated("web") == "web"
