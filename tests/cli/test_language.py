"""Which language a person reads."""

from madang.cli.language import language


def test_asked_for_then_spoken_then_english() -> None:
    assert language("ko", {"LANG": "en_US.UTF-8"}) == "ko" and language("en", {"LANG": "ko_KR.UTF-8"}) == "en"
    assert language("", {"LANG": "ko_KR.UTF-8"}) == "ko" and language("", {"LC_ALL": "C", "LANG": "ko_KR"}) == "en"
    assert language("", {}) == "en"
