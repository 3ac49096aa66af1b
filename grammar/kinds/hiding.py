"""What is wrong with shares of hidden things that are replaced by others, or stay as they are."""

from collections.abc import Iterator

from renaissance.grammar.kinds.remark import Remark


def more_than_all(random: float, keep: float, *, things: str, rest: str) -> Iterator[Remark]:
    """Yield that no more than all can be replaced or kept, if they are.

    Args:
        random: share that others replace.
        keep: share that stays.
        things: what is hidden, in plural.
        rest: what becomes of the rest: `masked`, `hidden`.
    """
    # Shares of a file have two decimals or so, their sum has binary ones.
    if round(random + keep, 9) > 1:
        yield Remark(
            code="VL405",
            message=f"`random` and `keep` are more than all of the {things}",
            key="random" if random > keep else "keep",
            label=f"{random} are replaced and {keep} stay",
            help=(f"let them be 100% together at most: the rest is {rest}",),
        )
