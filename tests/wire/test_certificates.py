"""The courtyard's CA and server certificate: what they name, when they are made anew."""

from pathlib import Path

from cryptography import x509

from madang.wire.certificates import SERVER_DAYS, ensure

NOW = 1_800_000_000.0
DAY = 86_400


def test_it_names_all_that_the_api_answers_to_and_is_kept(tmp_path: Path) -> None:
    found = ensure(tmp_path, ["10.96.0.1"], NOW)
    server = x509.load_pem_x509_certificate(found.server.read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)
    assert {"127.0.0.1", "10.96.0.1", "::1"} == {str(ip) for ip in names.get_values_for_type(x509.IPAddress)}
    server.verify_directly_issued_by(x509.load_pem_x509_certificate(found.ca.read_bytes()))
    before = found.server.read_bytes()
    assert ensure(tmp_path, ["10.96.0.1"], NOW + DAY).server.read_bytes() == before


def test_it_is_renewed_in_time_and_for_a_new_address_under_the_same_ca(tmp_path: Path) -> None:
    found = ensure(tmp_path, ["10.96.0.1"], NOW)
    ca, before = found.ca.read_bytes(), found.server.read_bytes()
    later = ensure(tmp_path, ["10.96.0.1"], NOW + (SERVER_DAYS - 30) * DAY)
    assert later.server.read_bytes() != before and later.ca.read_bytes() == ca
    moved = ensure(tmp_path, ["10.97.0.1"], NOW + (SERVER_DAYS - 30) * DAY)
    assert b"".join(moved.ca.read_bytes().splitlines()) == b"".join(ca.splitlines())


def test_a_clock_that_is_set_back_a_day_makes_none_of_them_invalid(tmp_path: Path) -> None:
    found = ensure(tmp_path, [], NOW)
    ca = found.ca.read_bytes()
    for path in (found.ca, found.server):
        begins = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_before_utc
        assert begins.timestamp() < NOW - DAY
    assert ensure(tmp_path, [], NOW - DAY).ca.read_bytes() == ca


def test_what_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    ensure(tmp_path, [], NOW)
    for path in tmp_path.iterdir():
        path.write_text("not PEM")
    found = ensure(tmp_path, [], NOW)
    assert "BEGIN CERTIFICATE" in found.ca_pem and "BEGIN PRIVATE KEY" in found.server.read_text()
