"""All mails that are compared with what a real server says of them."""

from tests.corpus.header_shapes import header_shapes
from tests.corpus.part_shapes import part_shapes
from tests.corpus.tree_shapes import tree_shapes


def shapes() -> dict[str, bytes]:
    """More than 600 mails of all shapes by their names; the same in every run."""
    return header_shapes() | part_shapes() | tree_shapes()
