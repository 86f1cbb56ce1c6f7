"""How far candidates were moved to where constraints allow them."""

from invcore.configs.config import Config

_SHOWN = 3  # constraints that are named


class Moves(Config):
    """How far candidates were moved to where constraints allow them.

    Args:
        share: of the candidates that were moved.
        median: distance of those, in ranges of the variables.
        largest: distance.
        most_violated: the constraint that most candidates violated before; empty if none did.
        violated: their share.
        replaced: how many became the same as another candidate, and were drawn anew.
        outside: how many are still not allowed.
        binding: the share of candidates to which a constraint then leaves no room on a side, by its
            text; of those constraints of which there are any.
    """

    share: float
    median: float
    largest: float
    most_violated: str = ""
    violated: float = 0.0
    replaced: int = 0
    outside: int = 0
    binding: dict[str, float] = {}

    def text(self) -> str:
        """In words.

        Example:
            >>> Moves(share=0.25, median=0.1, largest=0.4, most_violated="a <= b", violated=0.2,
            ...     replaced=1).text()
            '25% of the candidates moved to allowed designs, by 0.1 ranges (median), at most 0.4; \
most often violated: a <= b (20%); 1 drawn anew, as they became the same as others'
        """
        if self.share == 0:
            text = "all candidates were allowed"
        else:
            text = (
                f"{self.share:.0%} of the candidates moved to allowed designs, by "
                f"{self.median:.2g} ranges (median), at most {self.largest:.2g}"
            )
        if self.most_violated:
            text += f"; most often violated: {self.most_violated} ({self.violated:.0%})"
        if self.replaced:
            text += f"; {self.replaced} drawn anew, as they became the same as others"
        if self.binding:
            most = sorted(self.binding.items(), key=lambda item: -item[1])
            shown = ", ".join(f"{name} ({share:.0%})" for name, share in most[:_SHOWN])
            more = f" and {len(most) - _SHOWN} more" if len(most) > _SHOWN else ""
            text += f"; binding: {shown}{more}"
        return f"{text}; {self.outside} not allowed" if self.outside else text
