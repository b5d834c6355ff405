"""Names become numbers by the image's own files, as containerd resolves them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.runtimes.oci.users import NoSuchUser, Who, Wish, known_root, resolve

PASSWD = """\
root:x:0:0:root:/root:/bin/sh
# a remark:x:5:5
redis:x:999:1000:Redis,,,:/home/redis:/bin/false
broken:x:abc:1
short
www-data:x:33:33::/var/www:
"""
GROUP = "root:x:0:\nredis:x:1000:\nssl:x:101:redis,www-data\nextra:x:102:redis\n"


@pytest.mark.parametrize(
    ("wish", "who"),
    [
        (Wish(), Who(0, 0, (0,))),
        (Wish("redis"), Who(999, 1000, (101, 102, 1000))),
        (Wish("999"), Who(999, 1000, (101, 102, 1000))),
        (Wish("redis:ssl"), Who(999, 101, (101,))),
        (Wish("redis:7"), Who(999, 7, (7,))),
        (Wish("4242"), Who(4242, 0, (0,))),
        (Wish("redis", uid=33), Who(33, 33, (33, 101))),
        (Wish("redis", gid=5), Who(999, 5, (5, 101, 102))),
        (Wish("", uid=4242, gid=5, groups=(9, 7)), Who(4242, 5, (5, 7, 9))),
        (Wish("redis", groups=(9,), strict=True), Who(999, 1000, (9, 1000))),
    ],
)
def test_who_it_is(wish: Wish, who: Who) -> None:
    assert resolve(wish, PASSWD, GROUP) == who


def test_an_image_without_any_user_file_is_run_by_root() -> None:
    assert resolve(Wish(), "", "") == Who(0, 0, (0,))


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("nobody", "unable to find user nobody: no matching entries in passwd file"),
        ("broken", "unable to find user broken: no matching entries in passwd file"),
        ("redis:nogroup", "unable to find group nogroup: no matching entries in group file"),
    ],
)
def test_a_name_that_the_image_does_not_know(user: str, text: str) -> None:
    with pytest.raises(NoSuchUser, match=text):
        resolve(Wish(user), PASSWD, GROUP)


@pytest.mark.parametrize(
    ("wish", "root"),
    [
        (Wish(), True),
        (Wish("root"), True),
        (Wish("0:5"), True),
        (Wish("7"), False),
        (Wish("redis"), None),
        (Wish("root", uid=5), False),
        (Wish("7", uid=0), True),
    ],
)
def test_whether_it_is_root(wish: Wish, root: bool | None) -> None:
    assert known_root(wish) is root


@given(st.text(), st.text(), st.integers(0, 2**32 - 1))
def test_no_file_is_so_strange_that_a_number_means_nothing(passwd: str, group: str, uid: int) -> None:
    assert resolve(Wish("name", uid=uid), passwd, group).uid == uid
