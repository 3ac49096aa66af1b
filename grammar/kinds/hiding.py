"""What is wrong with shares of hidden things that are replaced by others, or stay as they are."""

from collections.abc import Iterator

from renaissance.grammar.kinds.remark import Remark


def wrong_shares(random: float, keep: float, *, things: str, rest: str) -> Iterator[Remark]:
    """Yield that more than all are replaced or kept, or that all are shown as they are.

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
    elif keep == 1:
        yield Remark(
            code="VL506",
            message=f"no {things} are {rest}",
            key="keep",
            severity="warning",
            label="each one is shown that is predicted",
            help=("keep fewer, such as `10%`",),
        )
