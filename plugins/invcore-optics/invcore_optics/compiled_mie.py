"""Spectra of layered spheres by compiled loops, for many at once on a CPU; no gradients.

The same formulas as in ``mie``, in an order that keeps what is worked on in the cache: a row's
wavelengths are the innermost loop. Instead of u and its slope u', the pair of u and
w = u' + n/z u is carried, which is the same combination of the functions of the order below: no
slope is computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from invcore_optics.riccati import DIGITS, TINY

Array = npt.NDArray[np.float64]


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled when it is first called; kept for later processes where there is room.

    Values are rounded as if products and sums were one operation, where the processor has such.
    """
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
    made: Callable[..., Any]
    try:
        made = numba.njit(function, cache=True, **options)
    except RuntimeError:  # no folder to keep it in
        made = numba.njit(function, **options)
    return made


@_compiled
def scattering_spectra(
    radius: Array, wavenumber: Array, index: Array, outside: float, order: int
) -> Array:
    """Scattering efficiencies of spheres without absorption.

    Args:
        radius: outer ones of the shells (N, L), nm, positive and ascending.
        wavenumber: in vacuum (W,), 1/nm.
        index: refractive ones of the shells (L, W).
        outside: refractive index of the surroundings.
        order: of the highest multipole.

    Returns:
        (N, W).

    Example:
        >>> radius = np.array([[50.0, 100.0]])
        >>> k = np.array([2 * np.pi / 500])
        >>> scattering_spectra(radius, k, np.full((2, 1), 1.5), 1.0, 9).round(4)
        array([[0.4542]])
    """
    rows, shells = radius.shape
    points = len(wavenumber)
    found = np.zeros((rows, points))
    psi, chi = np.empty((order + 1, points)), np.empty((order + 1, points))
    z, work = np.empty(points), np.empty((5, points))
    # u and w of the electric (0) and the magnetic (1) multipoles, by order
    value, below = np.empty((2, order + 1, points)), np.empty((2, order + 1, points))
    for row in range(rows):
        for p in range(points):
            z[p] = radius[row, 0] * wavenumber[p] * index[0, p]
        _functions(z, order, psi, chi, work)
        for n in range(1, order + 1):
            for p in range(points):
                value[0, n, p] = value[1, n, p] = psi[n, p]
                below[0, n, p] = below[1, n, p] = psi[n - 1, p]
        for shell in range(1, shells):
            _cross(value, below, z, index[shell - 1], index[shell], order)
            for p in range(points):
                z[p] = radius[row, shell - 1] * wavenumber[p] * index[shell, p]
            _functions(z, order, psi, chi, work)
            for kind in range(2):  # what belongs to psi and to chi, in the places of u and w
                for n in range(1, order + 1):
                    for p in range(points):
                        u, w = value[kind, n, p], below[kind, n, p]
                        value[kind, n, p] = w * chi[n, p] - u * chi[n - 1, p]
                        below[kind, n, p] = u * psi[n - 1, p] - w * psi[n, p]
            for p in range(points):
                z[p] = radius[row, shell] * wavenumber[p] * index[shell, p]
            _functions(z, order, psi, chi, work)
            for kind in range(2):
                for n in range(1, order + 1):
                    for p in range(points):
                        a, b = value[kind, n, p], below[kind, n, p]
                        value[kind, n, p] = a * psi[n, p] + b * chi[n, p]
                        below[kind, n, p] = a * psi[n - 1, p] + b * chi[n - 1, p]
        work[0] = outside
        _cross(value, below, z, index[shells - 1], work[0].copy(), order)
        for p in range(points):
            z[p] = radius[row, shells - 1] * wavenumber[p] * outside
        _functions(z, order, psi, chi, work)
        for kind in range(2):
            for n in range(1, order + 1):
                for p in range(points):
                    u, w = value[kind, n, p], below[kind, n, p]
                    real = (u * psi[n - 1, p] - w * psi[n, p]) ** 2
                    other = (u * chi[n - 1, p] - w * chi[n, p]) ** 2
                    found[row, p] += (2 * n + 1) * real / (real + other)
        for p in range(points):
            found[row, p] *= 2 / z[p] ** 2
    return found


@_compiled
def _cross(value: Array, below: Array, z: Array, inside: Array, beyond: Array, order: int) -> None:
    """Take u and w from a medium, at arguments z (W,), into the next one.

    u goes on; so does u'/m of the electric multipoles, u'm of the magnetic ones.
    """
    for n in range(1, order + 1):
        for p in range(len(z)):
            ratio = beyond[p] / inside[p]
            tilt = n / z[p] * (1 / ratio - ratio)
            below[0, n, p] = ratio * below[0, n, p] + tilt * value[0, n, p]
            below[1, n, p] /= ratio


@_compiled
def _functions(z: Array, order: int, psi: Array, chi: Array, work: Array) -> None:
    """Fill in ψ and χ (order + 1, W) at z (W,); see ``riccati``, whose recurrences these are."""
    points = len(z)
    most = 0.0
    above, here, inverse, sine, cosine = work[0], work[1], work[2], work[3], work[4]
    for p in range(points):
        most = max(most, z[p])
        above[p], here[p], inverse[p] = 0.0, TINY, 1 / z[p]
        sine[p], cosine[p] = math.sin(z[p]), math.cos(z[p])
    for n in range(_start(most, order), order + 1, -1):
        for p in range(points):
            lower = (2 * n + 1) * inverse[p] * here[p] - above[p]
            above[p] = here[p]
            here[p] = lower
    for n in range(order + 1, 0, -1):
        for p in range(points):
            lower = (2 * n + 1) * inverse[p] * here[p] - above[p]
            above[p] = here[p]
            here[p] = lower
            psi[n - 1, p] = lower
    for p in range(points):
        top = max(abs(here[p]), abs(above[p]))
        zero, one = here[p] / top, above[p] / top
        first = sine[p] * inverse[p] - cosine[p]  # ψ_1; one of ψ_0 and ψ_1 is never small
        above[p] = (sine[p] * zero + first * one) / (zero * zero + one * one) / top
        chi[0, p] = cosine[p]
        chi[1, p] = sine[p] + cosine[p] * inverse[p]
    for n in range(order + 1):
        for p in range(points):
            psi[n, p] *= above[p]
    for n in range(1, order):
        for p in range(points):
            chi[n + 1, p] = (2 * n + 1) * inverse[p] * chi[n, p] - chi[n - 1, p]


@_compiled
def _start(argument: float, order: int) -> int:
    """Where Miller's recurrence may start: ``riccati.riccati_start``."""
    start = max(order, math.ceil(argument)) + 1
    while True:
        ratio = start / argument
        if start * (math.acosh(ratio) - math.sqrt(1 - ratio**-2)) >= DIGITS:
            return start
        start += 1
