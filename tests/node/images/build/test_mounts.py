import pytest

from madang.dockerfile.refusal import Refused
from madang.node.images.build.mounts import Mount, mount


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("target=x,source=a/../b", Mount(target="/w/x", source="/b", readonly=True)),
        ("type=bind,dst=/x,from=base,rw", Mount(target="/x", source="/", origin="base")),
        ("type=cache,target=/c", Mount("cache", "/c", "/", id="/c", mode=0o755)),
        (
            'type=cache,"target=/a,b",id=i,sharing=locked',
            Mount("cache", "/a,b", "/", id="i", sharing="locked", mode=0o755),
        ),
        ("type=tmpfs,target=/t,size=64m", Mount("tmpfs", "/t", "/", size=64 << 20)),
        ("type=secret,id=s", Mount("secret", "/run/secrets/s", "/", id="s", mode=0o400)),
        ("type=secret,id=s,env=S,required", Mount("secret", id="s", env="S", mode=0o400, required=True)),
    ],
)
def test_forms(text: str, wanted: Mount) -> None:
    assert mount(text, 3, "/w") == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("type=ssh", "type=ssh is not supported here"),
        ("type=nfs,target=/x", "unsupported mount type"),
        ("type=tmpfs,target=/x,id=a", 'unexpected key "id"'),
        ("type=bind", "needs a target"),
        ("target=/", "can not be the root"),
        ("target", "key=value"),
        ("type=cache,target=/x,mode=9", "mode: expected a number"),
        ("type=cache,target=/x,sharing=no", "expected shared, private or locked"),
        ("target=/x,ro=maybe", "expected true or false"),
        ("type=tmpfs,target=/x,size=much", "expected bytes"),
    ],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as found:
        mount(text, 3)
    assert found.value.line == 3
