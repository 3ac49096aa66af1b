"""The layers of a library's encoder on rows in any form, and where they are read."""

from torch import Tensor

from renaissance.compiler.backbones.encoder_stack import EncoderStack, library_mask
from renaissance.compiler.backbones.rows import Rows
from renaissance.compiler.lowering.libraries.reading import can_read, read_layer
from renaissance.compiler.model.features import Features


class LoweredEncoderStack(EncoderStack):
    """Layers and the last norm of an encoder; `reads` says whether the last layer is only read.

    Packed rows are for layers that run the project's attention.
    """

    reads: bool = False

    def forward(self, inputs: Features, read: Tensor | None = None) -> Features:
        """Map tokens of any form to the same form, or only those at places `[k]` int64."""
        rows: Rows = inputs.mask if inputs.packing is None else inputs.packing
        if self.library is not None:
            rows = library_mask(inputs, self.library)
        packed = inputs.packing is not None
        tokens = inputs.tokens[None] if packed else inputs.tokens
        *before, last = self.layers
        for layer in before:
            tokens = layer(tokens, rows)
        if read is not None and self.reads and can_read(last):
            tokens = read_layer(last, tokens, rows, read)
            return Features(tokens=self.norm(tokens[0]))
        tokens = last(tokens, rows)
        stream = inputs.with_tokens(tokens[0] if packed else tokens)
        if read is not None:
            stream = stream.read(read)
        return stream.with_tokens(self.norm(stream.tokens))
