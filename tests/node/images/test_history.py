"""Layers in groups."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.node.images.history import APPLICATION, BASE, GROUPS, RUNTIME, SYSTEM, group_of, rows, shown
from madang.node.images.image import Image, ImageConfig, Layer, Step


def image(*steps: Step) -> Image:
    layers = [Layer("d", f"l{i}", 1, Path("/"), s.created_by) for i, s in enumerate(s for s in steps if not s.empty)]
    return Image((), "m", "c", ImageConfig(), tuple(layers), history=steps)


def test_a_python_service() -> None:
    found = rows(
        image(
            Step("/bin/sh -c #(nop) ADD file:1 in / "),
            Step('/bin/sh -c #(nop)  CMD ["bash"]', empty=True),
            Step("RUN /bin/sh -c apt-get update && apt-get install -y ca-certificates # buildkit"),
            Step("ENV PYTHON_VERSION=3.11", empty=True),
            Step("RUN /bin/sh -c wget python.tar.xz && make install # buildkit"),
            Step("RUN /bin/sh -c pip install -r requirements.txt # buildkit"),
            Step("COPY . /app # buildkit"),
            Step("RUN /bin/sh -c apt-get install -y curl # buildkit"),
            Step('CMD ["python" "app.py"]', empty=True),
        )
    )
    assert [r.group for r in found if r.layer] == [GROUPS[i] for i in (0, 1, 2, 2, 3, 3)]
    assert [r.layer.diff_id for r in found if r.layer] == [f"l{i}" for i in range(6)]


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("RUN apk add --no-cache tzdata", SYSTEM),
        ("RUN npm ci", RUNTIME),
        ("RUN uv sync --frozen", RUNTIME),
        ("COPY requirements.txt python.txt /", APPLICATION),
        ("RUN make", APPLICATION),
        ("", APPLICATION),
    ],
)
def test_steps(text: str, group: int) -> None:
    assert group_of(Step(text), BASE, lowest=False) == group


def test_a_builder_says_it_itself() -> None:
    step = Step("files", comment="madang.dev/group=operating-system")
    assert group_of(step, BASE, lowest=True) == SYSTEM and group_of(step, RUNTIME, lowest=False) == RUNTIME
    assert group_of(Step("", comment="madang.dev/group=nonsense"), BASE, lowest=False) == APPLICATION


def test_a_history_of_another_image() -> None:
    two = Layer("d", "x", 1, Path("/"))
    found = rows(Image((), "m", "c", ImageConfig(), (two, two), history=(Step("one"),)))
    assert [r.group for r in found] == ["base", "application"]


@given(st.lists(st.builds(Step, st.text(max_size=20), st.text(max_size=10), empty=st.booleans()), max_size=8))
def test_groups_never_go_back(steps: list[Step]) -> None:
    found = [GROUPS.index(r.group) for r in rows(image(*steps))]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("made_by", "text"),
    [
        ("/bin/sh -c #(nop)  CMD [\"sh\"]", 'CMD ["sh"]'),
        ("RUN |2 A=1 B=2 /bin/sh -c echo   hi # buildkit", "RUN echo hi"),
        ("/bin/sh -c make", "RUN make"),
        ("COPY . /app # buildkit", "COPY . /app"),
    ],
)  # fmt: skip
def test_steps_as_their_file_had_them(made_by: str, text: str) -> None:
    assert shown(made_by) == text
