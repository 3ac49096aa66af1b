"""A stack over the tokens of all streams, packed where one is, and only what is read of it."""

from collections.abc import Mapping, Sequence
from functools import partial

from torch import Tensor, nn

from renaissance.compiler.fusions.single_stream.module import JointStack
from renaissance.compiler.lowering.joint import JointRows
from renaissance.compiler.model.features import Features
from renaissance.compiler.model.readings import RowGroup


class LoweredJointStack(JointStack):
    """A stack over rows in any form."""

    def forward(self, features: Mapping[str, Features]) -> dict[str, Features]:
        """Run streams whose rows correspond through the stack; each comes back in its form."""
        joint = JointRows.of(self.embedded(features))
        return joint.apart(self._stack(joint.rows))

    def read(
        self, features: Mapping[str, Features], parts: Sequence[RowGroup]
    ) -> list[dict[str, Features]]:
        """Fuse, and return what is read; a stack that can computes no more in its last layer.

        Args:
            features: as `forward` takes them.
            parts: consecutive rows with what is read of them; together they cover all rows.

        Returns:
            For each part, the streams that it names, as `Features.read` gives them.
        """
        joint = JointRows.of(self.embedded(features))
        return joint.read(parts, partial(self._stack, joint.rows))

    def _stack(self, joint: Features, read: Tensor | None = None) -> Features:
        if joint.packing is None or self.encoder.facts.packs:
            return self.encoder(joint, read)  # type: ignore[no-any-return]
        fused = joint.with_tokens(joint.from_padded(self.encoder(joint.padded()).tokens))
        return fused if read is None else fused.read(read)


TWINS: dict[type[nn.Module], type[nn.Module]] = {JointStack: LoweredJointStack}
"""What takes the place of which plain module; parameters stay."""
