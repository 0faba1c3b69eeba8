"""Student's t with the standard library alone."""

import math


def t_upper(t: float, degrees: float) -> float:
    """P(T > t), to 1e-10, by the regularised incomplete beta function."""
    tail = 0.5 * _incomplete_beta(degrees / (degrees + t * t), t * t / (degrees + t * t), degrees / 2, 0.5)
    return tail if t >= 0 else 1 - tail


def t_quantile(probability: float, degrees: float) -> float:
    """The t with P(T < t) = probability, of 1/2 or more: Newton's steps, from the left of a convex tail."""
    t, step = 0.0, 1.0
    constant = -_log_beta(degrees / 2, 0.5) - math.log(degrees) / 2
    while step > 1e-12 * (1 + t):
        density = math.exp(constant - (degrees + 1) / 2 * math.log1p(t * t / degrees))
        step = (t_upper(t, degrees) - (1 - probability)) / density
        t += step
    return t


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b) with rest = 1 - x: Lentz's continued fraction on the side where it converges fast."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(rest, x, b, a)
    front = math.exp(a * math.log(x) + b * math.log(rest) - _log_beta(a, b)) / a
    tiny, c = 1e-300, 1.0
    value = d = 1 / (1 - (a + b) * x / (a + 1) or tiny)
    for step in range(1, 10_000):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * value


def _log_beta(a: float, b: float) -> float:
    large, small = max(a, b), min(a, b)
    if small == 0.5 and large > 100:  # the difference of two large lgammas loses digits: its series instead
        return math.lgamma(0.5) - 0.5 * math.log(large) + 1 / (8 * large) - 1 / (192 * large**3)
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
