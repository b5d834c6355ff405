"""Which ids a user namespace has."""

from hypothesis import given
from hypothesis import strategies as st

from madang.porch import mapping

SUBUID = "# lent\nann:100000:65536\nbob:165536:1000\n1001:300000:70000\nbob:500000:2000\nbroken:x:y\nbob:1\n"


def test_the_largest_range_of_a_user_by_name_or_number() -> None:
    assert mapping.lent(SUBUID, "ann", 1000) == (100000, 65536)
    assert mapping.lent(SUBUID, "bob", 1002) == (500000, 2000)
    assert mapping.lent(SUBUID, "", 1001) == (300000, 70000)
    assert mapping.lent(SUBUID, "broken", 9) is None
    assert mapping.lent("", "ann", 1000) is None


def test_root_inside_is_the_user_and_the_rest_is_lent() -> None:
    assert mapping.single(1000) == "0 1000 1\n"
    words = mapping.command("/usr/bin/newuidmap", 7, 1000, (300000, 70000))
    assert words == ["/usr/bin/newuidmap", "7", "0", "1000", "1", "1", "300000", "65535"]


@given(st.text(alphabet="ab:01\n# ", max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    found = mapping.lent(text, "a", 1)
    assert found is None or found[1] > 0
