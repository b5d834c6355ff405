"""The plan of an overlay: newest layer first, names that no path can break, within the kernel's one page."""

import pytest

from madang.node.runtimes.oci.rootfs import MOST_LAYERS, PAGE, TooManyLayers, plan


def test_layers_are_named_newest_first_by_short_links() -> None:
    found = plan(["/store/a:b,c", "/store/base"])
    assert found.links == {"l/0": "/store/a:b,c", "l/1": "/store/base"}
    assert found.options == "lowerdir=l/0:l/1,upperdir=upper,workdir=work"
    assert found.folders == ("l", "upper", "work", "rootfs")


def test_an_image_of_nothing_still_has_a_root() -> None:
    found = plan([])
    assert "l/e" in found.folders
    assert found.options.startswith("lowerdir=l/e,")


def test_as_many_layers_as_the_kernel_stacks_and_no_more() -> None:
    assert len(plan(["/x" * 2000] * MOST_LAYERS).options) < PAGE
    with pytest.raises(TooManyLayers, match="the image has 501 layers; at most 500"):
        plan(["/x"] * (MOST_LAYERS + 1))
