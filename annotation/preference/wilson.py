"""The interval of one share, as if its votes were independent."""

from statistics import NormalDist


def wilson_interval(chosen: float, n: int, level: float = 0.95) -> tuple[float, float] | None:
    """Low and high end, in 0..1, of the share chosen / n; None where n is 0.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference". It takes
    the votes as independent: where one person or one photo has several, it is too narrow. Half
    votes may be counted, as "not sure" is; the formula then is an approximation.
    """
    if not 0 <= chosen <= n:
        raise ValueError(f"Found {chosen} chosen of {n}; expected 0 to n.")
    if not 0 < level < 1:
        raise ValueError(f"Found level {level}; expected between 0 and 1.")
    if n == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = chosen / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5 / (1 + z**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
