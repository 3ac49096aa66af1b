"""Encoders of timm whose parts are described, by name."""

from renaissance.grammar.architectures import CLIP, HALF, IMAGENET, Architecture, Statistics


def _timm(
    name: str,
    width: int,
    heads: int,
    statistics: Statistics,
    *,
    layers: int = 12,
    patch: int = 16,
    image_size: int = 224,
    prefix_tokens: int = 1,
    embedding_width: int | None = None,
) -> Architecture:
    return Architecture(
        id=name,
        library="timm",
        model_type=name,
        modality="vision",
        layers=layers,
        width=width,
        heads=heads,
        mlp_ratio=4.0,
        embedding_width=embedding_width or width,
        sequence=embedding_width is None,
        image_size=image_size,
        patch=patch,
        prefix_tokens=prefix_tokens,
        statistics=statistics,
    )


# A tag names weights, and weights of one architecture may want other pixel statistics: the tags of
# these are listed here, others stand in the table of all models.
TIMM: tuple[tuple[tuple[str, ...], Architecture], ...] = (
    (("augreg_in21k_ft_in1k",), _timm("vit_tiny_patch16_224", 192, 3, HALF)),
    (("augreg_in21k_ft_in1k", "augreg_in1k"), _timm("vit_small_patch16_224", 384, 6, HALF)),
    (("dino",), _timm("vit_small_patch16_224.dino", 384, 6, IMAGENET)),
    (
        ("augreg2_in21k_ft_in1k", "augreg_in21k_ft_in1k", "augreg_in1k", "orig_in21k_ft_in1k"),
        _timm("vit_base_patch16_224", 768, 12, HALF),
    ),
    (
        ("augreg_in21k_ft_in1k",),
        _timm("vit_base_patch32_384", 768, 12, HALF, patch=32, image_size=384),
    ),
    (("fb_in1k",), _timm("deit_tiny_patch16_224", 192, 3, IMAGENET)),
    (("fb_in1k",), _timm("deit_small_patch16_224", 384, 6, IMAGENET)),
    (("fb_in1k",), _timm("deit_base_patch16_224", 768, 12, IMAGENET)),
    (
        ("fb_in1k",),
        _timm("deit_tiny_distilled_patch16_224", 192, 3, IMAGENET, prefix_tokens=2),
    ),
    (
        ("fb_in1k",),
        _timm("deit_small_distilled_patch16_224", 384, 6, IMAGENET, prefix_tokens=2),
    ),
    (
        ("in22k_ft_in22k_in1k", "in22k_ft_in22k"),
        _timm("beit_base_patch16_224", 768, 12, HALF),
    ),
    (
        ("ms_in1k", "ms_in22k_ft_in1k"),
        _timm(
            "swin_tiny_patch4_window7_224",
            768,
            24,
            IMAGENET,
            patch=4,
            prefix_tokens=0,
            embedding_width=96,
        ),
    ),
    (
        ("ms_in22k_ft_in1k", "ms_in1k"),
        _timm(
            "swin_small_patch4_window7_224",
            768,
            24,
            IMAGENET,
            layers=24,
            patch=4,
            prefix_tokens=0,
            embedding_width=96,
        ),
    ),
    (("openai", "laion2b_ft_in12k_in1k"), _timm("vit_base_patch16_clip_224", 768, 12, CLIP)),
)
