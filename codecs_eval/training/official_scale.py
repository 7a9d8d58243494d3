"""Distances and heads that a fit left, on the scale of the official LPIPS heads."""

from collections.abc import Mapping

import torch
from torch import Tensor

from codecs_eval.training.comparing import Distances
from codecs_eval.training.fitting import Prior, Votes


class OfficialScale:
    """The mean distance over the dataset's pairs becomes the official heads'; decisions stay.

    Without it each training would have a scale of its own, and thresholds or losses tuned for
    LPIPS would not fit. Pixels set the scale and no judgment does: held-out pairs count too.
    """

    def __init__(self, votes: Votes, prior: Prior) -> None:
        both = torch.cat([votes.first, votes.second])
        self._rows, self._place = torch.unique(both, return_inverse=True)
        self._votes = votes
        self._means = votes.features[self._rows, 0].double().mean(dim=0)
        self._wanted = float(self._means @ prior.heads.double())

    def distances(self, left: Mapping[str, Tensor]) -> Distances:
        """Of all triplets."""
        if "d_first" in left:
            factor = self._factor(left)
            return Distances(left["d_first"] * factor, left["d_second"] * factor)
        return Distances(*self._votes.distances(self.heads(left)))

    def heads(self, left: Mapping[str, Tensor]) -> Tensor:
        return (left["heads"].double() * self._factor(left)).float()

    def _factor(self, left: Mapping[str, Tensor]) -> float:
        if "d_first" in left:
            by_pair = torch.zeros(len(self._rows), dtype=torch.float64)
            by_pair[self._place] = torch.cat([left["d_first"], left["d_second"]])
            found = float(by_pair.mean())
        else:
            found = float(self._means @ left["heads"].double())
        if not found > 0.0:
            raise RuntimeError(
                f"the trained heads give a mean distance of {found}; expected more than 0: "
                f"lower the learning rate or add a ridge"
            )
        return self._wanted / found
