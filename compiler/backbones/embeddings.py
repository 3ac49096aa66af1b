"""From word pieces and pixels to tokens: embeddings of plain and of one-tower models."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from renaissance.compiler.errors import CompileError, ShapeError
from renaissance.compiler.model.dropout import Dropout
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.initialisation import STD, initialise
from renaissance.compiler.model.inputs import TextInput
from renaissance.grammar.kinds.source import Fit


class WordEmbeddings(nn.Module):
    """Normalised sum of a word-piece, a position and perhaps a type embedding.

    Args:
        vocabulary: word pieces; index 0 is padding.
        max_tokens: longest text, special tokens included.
        width: channels.
        dropout: probability of dropping a channel of a token in training.
        eps: of the norm.
        types: segments that tokens may belong to; the model reads texts of the first one.
    """

    def __init__(
        self,
        vocabulary: int,
        max_tokens: int,
        width: int,
        dropout: float,
        *,
        eps: float,
        types: int = 0,
    ) -> None:
        super().__init__()
        self.vocabulary, self.max_tokens, self.width = vocabulary, max_tokens, width
        self.word = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(torch.empty(max_tokens, width))
        self.type_embedding = nn.Parameter(torch.empty(types, width)) if types else None
        self.norm = nn.LayerNorm(width, eps=eps)
        self.dropout = Dropout(dropout)
        nn.init.normal_(self.word.weight, std=STD)
        nn.init.normal_(self.position, std=STD)
        if self.type_embedding is not None:
            nn.init.normal_(self.type_embedding, std=STD)

    def forward(self, text: TextInput) -> Features:
        """Embed texts.

        Raises:
            ShapeError: if they are longer than `max_tokens`.
        """
        check_length(text, self.position.shape[0])
        tokens = self.word(text.input_ids) + self.positions(text)  # [rows, n, width]
        if self.type_embedding is not None:
            tokens = tokens + self.type_embedding[0]
        tokens = self.dropout(self.norm(tokens))
        return Features(tokens=tokens, mask=text.mask, packing=text.packing)

    def positions(self, text: TextInput) -> Tensor:
        """Return the embeddings of the positions of padded rows, `[n, width]`."""
        return self.position[: text.longest]


class PatchEmbeddings(nn.Module):
    """A class token and embedded patches, plus position embeddings.

    Args:
        image_size: height and width of images, pixels; a multiple of `patch`.
        patch: height and width of a patch, pixels.
        width: channels.
        stem: how a patch becomes a token.
        dropout: probability of dropping a channel of a token in training.
        address: of the stream, for messages.
        fit: the shapes that images may have; None where they are square, of `image_size`.
    """

    def __init__(
        self,
        image_size: int,
        patch: int,
        width: int,
        stem: str,
        dropout: float,
        address: str,
        fit: Fit | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch:
            raise CompileError(
                f"`{address}`: patches of {patch} pixels do not tile an image of {image_size}"
            )
        self.image_size, self.width, self.fit = image_size, width, fit
        self.grid = image_size // patch
        self.stem: nn.Module
        if stem == "linear":
            self.stem = nn.Conv2d(3, width, patch, stride=patch)
            initialise(self.stem)
        else:
            self.stem = convolutional_stem(patch, width, address)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.position = nn.Parameter(torch.empty(1 + self.grid**2, width))
        self.dropout = Dropout(dropout)
        nn.init.normal_(self.class_token, std=STD)
        nn.init.normal_(self.position, std=STD)

    def forward(self, pixels: Tensor) -> Features:
        """Embed images `[rows, 3, height, width]` of one shape as `[rows, 1 + patches, width]`.

        Raises:
            ShapeError: if they have another size than they may have.
        """
        check_images(pixels, self.image_size, self.fit)
        grid = self.stem(pixels)  # [rows, width, patches down, patches across]
        patches = grid.flatten(2).transpose(1, 2)
        first = self.class_token.expand(patches.shape[0], -1, -1)
        tokens = torch.cat((first, patches), 1) + self.positions(*grid.shape[2:])
        return Features(tokens=self.dropout(tokens))

    def positions(self, down: int, across: int) -> Tensor:
        """Return the embeddings of the positions of a grid of patches, `[1 + patches, width]`.

        Source: Kim et al. 2021, ViLT, section 4.1: interpolated between those of a square grid,
        bilinearly, corners on corners.
        """
        if self.fit is None or (down, across) == (self.grid, self.grid):
            return self.position
        square = self.position[1:].T.view(1, self.width, self.grid, self.grid)
        grid = F.interpolate(square, size=(down, across), mode="bilinear", align_corners=True)
        return torch.cat((self.position[:1], grid[0].flatten(1).T))


class ConvolutionalStem(nn.Sequential):
    """Convolutions over images whose channels lie together in memory, as tokens do behind them."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Map `[rows, 3, height, width]` to `[rows, channels, grid, grid]`."""
        ordered = pixels.contiguous(memory_format=torch.channels_last)
        return super().forward(ordered)  # type: ignore[no-any-return, no-untyped-call]


def convolutional_stem(patch: int, width: int, address: str) -> ConvolutionalStem:
    """Return 3 × 3 convolutions of stride 2 down to one position a patch, and a last linear map.

    The norm is over all channels and positions of one image, so that a row never depends on the
    rows beside it.

    Raises:
        CompileError: if `patch` is no power of two.

    Source: Xiao et al. 2021, Early Convolutions Help Transformers See Better.
    """
    halvings = patch.bit_length() - 1
    if patch != 2**halvings:
        raise CompileError(
            f"`{address}`: a convolutional stem halves the image step by step, so `patch` must be "
            f"a power of two, not {patch}"
        )
    parts: list[nn.Module] = []
    channels = 3
    for step in range(halvings):
        # Full width one halving early, and never too narrow to tell edges of all directions apart.
        out = min(width, max(width >> max(halvings - 2 - step, 0), 32))
        parts += [
            nn.Conv2d(channels, out, 3, stride=2, padding=1),
            nn.GroupNorm(1, out),
            nn.GELU(),
        ]
        channels = out
    return ConvolutionalStem(*parts, nn.Conv2d(channels, width, 1))


def check_length(text: TextInput, longest: int) -> None:
    """Refuse texts that are longer than the model was compiled for.

    Raises:
        ShapeError: naming both lengths.
    """
    if text.longest > longest:
        raise ShapeError(f"texts of {text.longest} tokens where the model takes {longest} at most")


def check_images(pixels: Tensor, image_size: int, fit: Fit | None = None) -> None:
    """Refuse images of another size than the model was compiled for.

    Args:
        pixels: `[rows, 3, height, width]`.
        image_size: height and width of square images, pixels.
        fit: the shapes that images may have; None where they are square.

    Raises:
        ShapeError: naming both sizes.
    """
    if pixels.ndim == 4 and pixels.shape[1] == 3:
        height, width = pixels.shape[2:]
        if fit is None and (height, width) == (image_size, image_size):
            return
        if fit is not None and not height % fit.multiple and not width % fit.multiple:
            return
    sides = f"{image_size}, {image_size}" if fit is None else "height, width"
    rest = "" if fit is None else f", both multiples of {fit.multiple}"
    raise ShapeError(
        f"images of shape {tuple(pixels.shape)} where the model takes [rows, 3, {sides}]{rest}"
    )
