"""What may be a name: DNS labels, qualified names, label values, keys, ports, environment variables.

In: the text. Out: the faults, each in the API's exact words (apimachinery util/validation); none if it is good.
Answers are tuples, cached: the same few names are checked at every write.
"""

import ipaddress
import re
from functools import lru_cache

Faults = tuple[str, ...]
NONE: Faults = ()

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE = f"({QUALIFIED})?"
CONFIG_KEY = "[-._a-zA-Z0-9]+"
HEADER = "[-A-Za-z0-9]+"
PERCENT = "[0-9]+%"

LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
LABEL_1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
QUALIFIED_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
LABEL_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
CONFIG_KEY_WORDS = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
ENV_WORDS = "a valid environment variable name must consist only of printable ASCII characters other than '='"

_label = re.compile(LABEL).fullmatch
_subdomain = re.compile(SUBDOMAIN).fullmatch
_label_1035 = re.compile(LABEL_1035).fullmatch
_qualified = re.compile(QUALIFIED).fullmatch
_label_value = re.compile(LABEL_VALUE).fullmatch
_config_key = re.compile(CONFIG_KEY).fullmatch
_header = re.compile(HEADER).fullmatch
_percent = re.compile(PERCENT).fullmatch


def too_long(limit: int) -> str:
    return f"must be no more than {limit} characters"


def between(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


def regex_fault(words: str, pattern: str, *examples: str) -> str:
    if not examples:
        return f"{words} (regex used for validation is '{pattern}')"
    # The doubled blank before "or" is the API's own.
    shown = " or ".join(f"'{e}', " for e in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{pattern}')"


def _prefixed(prefix: str, faults: Faults) -> Faults:
    return tuple(prefix + f for f in faults)


@lru_cache(maxsize=8192)
def dns_label(text: str) -> Faults:
    faults = (too_long(63),) if len(text) > 63 else NONE
    if _label(text):
        return faults
    if _subdomain(text):
        return (*faults, "must not contain dots")
    return (*faults, regex_fault(LABEL_WORDS, LABEL, "my-name", "123-abc"))


@lru_cache(maxsize=8192)
def dns_subdomain(text: str) -> Faults:
    faults = (too_long(253),) if len(text) > 253 else NONE
    return faults if _subdomain(text) else (*faults, regex_fault(SUBDOMAIN_WORDS, SUBDOMAIN, "example.com"))


@lru_cache(maxsize=4096)
def dns_1035_label(text: str) -> Faults:
    faults = (too_long(63),) if len(text) > 63 else NONE
    if _label_1035(text):
        return faults
    return (*faults, regex_fault(LABEL_1035_WORDS, LABEL_1035, "my-name", "abc-123"))


@lru_cache(maxsize=8192)
def qualified_name(text: str) -> Faults:
    """A label key: an optional subdomain, a slash and a name."""
    prefix, slash, name = text.rpartition("/")
    fault = regex_fault(QUALIFIED_WORDS, QUALIFIED, "MyName", "my.name", "123-abc")
    if "/" in prefix:
        return (
            "a qualified name " + fault + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
        )
    faults = NONE
    if slash:
        faults = _prefixed("prefix part ", dns_subdomain(prefix) if prefix else ("must be non-empty",))
    if not name:
        faults = (*faults, "name part must be non-empty")
    elif len(name) > 63:
        faults = (*faults, "name part " + too_long(63))
    return faults if _qualified(name) else (*faults, "name part " + fault)


@lru_cache(maxsize=8192)
def label_value(text: str) -> Faults:
    faults = (too_long(63),) if len(text) > 63 else NONE
    if _label_value(text):
        return faults
    return (*faults, regex_fault(LABEL_VALUE_WORDS, LABEL_VALUE, "MyValue", "my_value", "12345"))


@lru_cache(maxsize=4096)
def config_key(text: str) -> Faults:
    faults = (too_long(253),) if len(text) > 253 else NONE
    if not _config_key(text):
        faults = (*faults, regex_fault(CONFIG_KEY_WORDS, CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if text == ".":
        return (*faults, "must not be '.'")
    if text == "..":
        return (*faults, "must not be '..'")
    return (*faults, "must not start with '..'") if text.startswith("..") else faults


@lru_cache(maxsize=4096)
def env_name(text: str) -> Faults:
    if not text:
        return ("environment variable name must be non-empty",)
    return NONE if all(" " <= c <= "~" and c != "=" for c in text) else (ENV_WORDS,)


@lru_cache(maxsize=4096)
def port_name(text: str) -> Faults:
    """An IANA service name."""
    faults = (too_long(15),) if len(text) > 15 else NONE
    if not re.fullmatch("[-a-z0-9]+", text):
        faults = (*faults, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        faults = (*faults, "must contain at least one letter (a-z)")
    if "--" in text:
        faults = (*faults, "must not contain consecutive hyphens")
    if text and (text[0] == "-" or text[-1] == "-"):
        faults = (*faults, "must not begin or end with a hyphen")
    return faults


def port_number(number: int) -> Faults:
    return NONE if 1 <= number <= 65535 else (between(1, 65535),)


def header_name(text: str) -> Faults:
    if _header(text):
        return NONE
    return (regex_fault("a valid HTTP header must consist of alphanumeric characters or '-'", HEADER, "X-Header-Name"),)


def percent(text: str) -> Faults:
    if _percent(text):
        return NONE
    words = "a valid percent string must be a numeric string followed by an ending '%'"
    return (regex_fault(words, PERCENT, "1%", "93%"),)


@lru_cache(maxsize=4096)
def ip_address(text: str) -> Faults:
    return NONE if ip_family(text) else ("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",)


@lru_cache(maxsize=4096)
def ip_family(text: str) -> str:
    """`IPv4`, `IPv6`, or nothing where the text is no address."""
    try:
        return f"IPv{ipaddress.ip_address(text).version}" if "%" not in text else ""
    except ValueError:
        return ""


def cidr(text: str) -> Faults:
    words = ("must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",)
    if "/" not in text:
        return words
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return words
    return NONE


def generated(text: str) -> str:
    """A generateName as a name: its last dash stands for the random tail."""
    return text[:-1] + "a" if len(text) > 1 and text.endswith("-") else text
