"""Which architecture does a name mean: the paper's (`32x4d-50`), or those of torchvision, timm and others?

A name that cannot be read is answered with one that can: whatever a hint says works as it stands, put in the place of
the name or of the option that it names, with the other options as they were.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.errors import UsageError, shortened

Blocks = tuple[int, ...]

# Blocks per stage that the literature means by a depth (He et al. 2016, Table 1; ResNet-200: arXiv:1603.05027).
IMAGENET_BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}

# As pages and papers set a name: the multiplication sign, and dashes that are no hyphen.
_TYPESET = str.maketrans({"\u00d7": "x", "\u2010": "-", "\u2011": "-", "\u2013": "-", "\u2212": "-"})

_NUMBER = "[1-9][0-9]{0,8}"
_OWN = re.compile(rf"({_NUMBER})x({_NUMBER})d-({_NUMBER})", re.ASCII | re.IGNORECASE)
# `resnext50_32x4d`, `tv_resnext50_32x4d`, `timm/resnext101_32x8d.fb_wsl_ig1b_ft_in1k`, `ResNeXt-50 (32x4d)`,
# `X-101-64x4d`, `resnext101_32x8d_wsl` (torch hub), `resnext50-32x4d_8xb32_in1k` (mmpretrain): the rest names weights.
_PUBLISHED = re.compile(
    rf"(?:timm/)?(?:(?:gluon|ssl|swsl|ig|tv)_)?(?P<before>[a-z_]*?)(?P<family>resne[x]?t|x(?=[-_]?{_NUMBER}[-_ ]))"
    rf"(?P<between>[a-z]*)[-_ ]?(?P<depth>{_NUMBER})(?P<after>[a-z]*)"
    rf"(?:[-_ ,(]+(?P<cardinality>{_NUMBER})x(?P<width>{_NUMBER})d?\)?|_(?P<times>2)(?![0-9]))?"
    r"(?:\.[a-z0-9_.]*|_(?:wsl|ssl|swsl)|_[0-9]+xb[a-z0-9_-]*)?",
    re.ASCII,
)


def parse_name(name: str, template: Template, blocks: Sequence[int] | None = None) -> Architecture:
    """Read a name such as `32x4d-50`, with widths that double.

    Args:
        name: `<cardinality>x<width>d-<depth>`, or a published name of the same network, such as `resnext50_32x4d`.
        template: Says what a depth means: the literature's blocks for the `imagenet` stem, 9n + 2 for three stages.
        blocks: Blocks per stage where the depth does not say them; must then agree with the depth.

    Raises:
        UsageError: The name is not of this form or of another family, or its depth has no known blocks.

    >>> parse_name("32x4d-50", Template(stem="imagenet", stages=4)).blocks
    (3, 4, 6, 3)
    >>> parse_name("resnext101_64x4d", Template(stem="imagenet", stages=4)).name
    '64x4d-101'
    """
    cardinality, width, depth = _numbers(name, template, blocks)
    known = tuple(blocks or ()) or _known_blocks(depth, template)
    group = f"{cardinality}x{width}d"
    if known is None:
        raise UsageError(
            f"depth {depth} does not say how many blocks each stage has; known depths: "
            f"{_known_depths(depth, template)}",
            hint=_other_names(group, depth, template, ()),
        )
    architecture = Architecture.paper(cardinality, width, known)
    if architecture.depth != depth or len(known) != template.stages:
        raise UsageError(
            f"architecture name {name!r}: blocks {list(known)} make {architecture.depth} layers in {len(known)} "
            f"stages, not {depth} in {template.stages}",
            hint=_other_names(group, depth, template, known),
        )
    return architecture


def _numbers(name: str, template: Template, blocks: Sequence[int] | None) -> tuple[int, int, int]:
    """Cardinality, width and depth that a name says."""
    name = name.strip().translate(_TYPESET)
    if own := _OWN.fullmatch(name):
        cardinality, width, depth = map(int, own.groups())
        return cardinality, width, depth
    published = _PUBLISHED.fullmatch(name.lower())
    if published is None:
        form = "<cardinality>x<width>d-<depth>"
        like = _typed("32x4d" if template.stages == 4 else "8x64d", None, template, blocks)
        raise UsageError(f"architecture name {shortened(name)!r}: not of the form {form}", hint=f"Try {like}.")
    depth = int(published["depth"])
    group, reason = _group_of(published)
    if reason:
        like = _typed(group, depth, template, blocks)
        raise UsageError(f"architecture name {shortened(name)!r}: {reason}", hint=f"Try {like}.")
    cardinality, width = map(int, group.removesuffix("d").split("x"))
    return cardinality, width, depth


def _group_of(published: re.Match[str]) -> tuple[str, str]:
    """Cardinality and width of a published name, and why it is no network of this family; empty if it is one."""
    group = f"{published['cardinality'] or 32}x{published['width'] or 4}d"
    others = [part.strip("_") for name in ("before", "between", "after", "times") if (part := published[name])]
    reason = "" if published["cardinality"] else "does not say its cardinality and width"
    if published["family"] == "resnet" and published["cardinality"] is None:
        is_wide = others == ["wide", "2"]  # torchvision's: blocks of twice the width, between the same outputs
        group, others = ("1x128d", []) if is_wide else ("1x64d", others)
        is_bottleneck = int(published["depth"]) in IMAGENET_BLOCKS
        reason = "" if is_bottleneck else "not made of bottleneck blocks, as all networks here are"
    if others:
        what = ", ".join(map(repr, others))
        reason = f"of another family: {what} stand{'s' * (len(others) == 1)} for layers that are not counted here"
    return group, reason


def _known_blocks(depth: int, template: Template) -> Blocks | None:
    """Blocks that the depth alone says; None if it does not."""
    if template.stem == "imagenet":
        return IMAGENET_BLOCKS.get(depth) if template.stages == 4 else None
    per_stage, left_over = divmod(depth - 2, 3 * template.stages)
    return (per_stage,) * template.stages if left_over == 0 and per_stage > 0 else None


def _known_depths(depth: int, template: Template) -> str:
    if template.stem == "imagenet":
        return ", ".join(map(str, IMAGENET_BLOCKS)) if template.stages == 4 else "none"
    step = 3 * template.stages
    lower = max((depth - 2) // step, 1) * step + 2
    return f"{step}n + 2; nearest {lower} and {lower + step}"


def _spread(depth: int, stages: int) -> Blocks | None:
    """Blocks that make the depth, as even as they can be; None if none do."""
    total, left_over = divmod(depth - 2, 3)
    if left_over or total < stages:
        return None
    each, more = divmod(total, stages)
    return tuple(each + (stage < more) for stage in range(stages))


def _nearest_depth(depth: int, template: Template) -> int:
    """The nearest that is known, or, where none is, that blocks can make."""
    if template.stem == "imagenet" and template.stages == 4:
        return min(IMAGENET_BLOCKS, key=lambda known: abs(known - depth))
    step = 3 * template.stages if template.stem == "cifar" else 3
    return max(round((depth - 2) / step), 1 if template.stem == "cifar" else template.stages) * step + 2


def _typed(group: str, depth: int | None, template: Template, blocks: Sequence[int] | None) -> str:
    """A name of these groups that can be read, and what has to stand with it; as deep as is wanted, if that can be."""
    stages = template.stages
    if blocks and len(blocks) == stages and min(blocks) >= 1:
        return f"{group}-{3 * sum(blocks) + 2}"
    wanted = _nearest_depth(29 if template.stem == "cifar" else 50, template) if depth is None else depth
    wanted = wanted if _spread(wanted, stages) else _nearest_depth(wanted, template)
    known = _known_blocks(wanted, template)
    return f"{group}-{wanted}" + ("" if known and not blocks else _option(known or _spread(wanted, stages) or ()))


def _other_names(group: str, depth: int, template: Template, blocks: Blocks) -> str:
    """What to type in the place of a name whose depth is not what the blocks make, or says none."""
    stages = template.stages
    fitting = _known_blocks(depth, template) or _spread(depth, stages)
    ways = []
    if len(blocks) == stages or fitting is None:
        ways.append(f"Name it {_typed(group, depth if fitting else _nearest_depth(depth, template), template, blocks)}")
    if fitting is not None:
        ways.append(f"give the blocks of the {stages} stages:{_option(fitting)}")
    named, three_a_block = {3: "cifar10", 4: "imagenet"}, (depth - 2) / 3
    if blocks and len(blocks) != stages and sum(blocks) == three_a_block and len(blocks) in named:
        ways.append(f"count it with --template {named[len(blocks)]}")
    elif not blocks:
        other = Template(stem="imagenet", stages=4) if template.stem == "cifar" else Template()
        if _known_blocks(depth, other):
            ways.append(f"count it with --template {named[other.stages]}")
    words = "; or ".join(ways)  # no comma behind the numbers of blocks, which have some between them
    return f"{words[:1].upper()}{words[1:]}."


def _option(blocks: Blocks) -> str:
    return f" --blocks {','.join(map(str, blocks))}"
