"""The way out's command lines."""

from madang.porch import wayout


def test_nothing_of_this_machine_is_opened_to_the_inside() -> None:
    words = wayout.pasta("/usr/bin/pasta", "/proc/self/fd/4", "/proc/self/fd/5")
    assert words[:2] == ["/usr/bin/pasta", "--foreground"] and "--no-map-gw" in words
    assert [words[words.index(one) + 1] for one in ("-t", "-u", "-T", "-U")] == ["none"] * 4
    assert words[-4:] == ["--userns", "/proc/self/fd/4", "--netns", "/proc/self/fd/5"]
    words = wayout.slirp("/usr/bin/slirp4netns", "/proc/self/fd/4", "/proc/self/fd/5")
    assert "--disable-host-loopback" in words and "--userns-path=/proc/self/fd/4" in words
    assert words[-2:] == ["/proc/self/fd/5", "tap0"]


def test_the_order_in_which_they_are_tried() -> None:
    assert [name for name, _ in wayout.WAYS] == ["pasta", "slirp4netns"]
