"""The textbook solver, to compare with: all plane waves, eigenvectors, NumPy, a cell at a time."""

import numpy as np
import scipy.special

LIGHT = 299.792458


def _fourier(orders, period, discs, value):
    p = np.arange(-2 * orders, 2 * orders + 1) * 2 * np.pi / period
    gx, gy = np.meshgrid(p, p, indexing="ij")
    g = np.hypot(gx, gy)
    safe = np.where(g > 0, g, 1.0)
    total = np.where(g == 0, 1.0 + 0j, 0j)
    for x, y, radius in discs:
        airy = np.where(g > 0, 2 * scipy.special.j1(safe * radius) / (safe * radius), 1.0)
        share = np.pi * radius**2 / period**2
        total = total + (value - 1) * share * airy * np.exp(-1j * (gx * x + gy * y))
    return _toeplitz(total, orders)


def _toeplitz(series, orders):
    n = np.arange(2 * orders + 1)
    d = n[:, None] - n[None, :] + 2 * orders
    return series[d[:, None, :, None], d[None, :, None, :]].reshape(len(n) ** 2, -1)


def _normals(orders, grid=256):
    place = (np.arange(grid) + 0.5) / grid
    offset = (place + 0.25) % 0.5 - 0.25
    dx, dy = np.meshgrid(offset, offset, indexing="ij")
    p = np.arange(-2 * orders, 2 * orders + 1)
    shift = np.exp(-1j * np.pi * p / grid)
    found = []
    for values in (dx * dx, dx * dy):
        series = np.fft.fft2(values / (dx**2 + dy**2)) / grid**2
        found.append(_toeplitz(series[np.ix_(p, p)] * np.outer(shift, shift), orders))
    return found


def reflection(heights, radii, frequency, *, orders, permittivity, period=210.0, normal=True):
    """The complex zeroth-order reflection, E along x."""
    half = period / 2
    centres = [(0, 0), (half, 0), (0, half), (half, half)]
    k0 = 2 * np.pi * frequency / LIGHT
    p = np.arange(-orders, orders + 1) * 2 * np.pi / period / k0
    kx, ky = np.repeat(p, len(p)), np.tile(p, len(p))
    big_kx, big_ky, one = np.diag(kx), np.diag(ky), np.eye(len(kx))
    curl = np.block([[big_kx * big_ky, -(big_kx**2)], [big_ky**2, -big_kx * big_ky]])
    decay = np.sqrt((kx**2 + ky**2 - 1).astype(complex))
    air = (curl + np.block([[0 * one, one], [-one, 0 * one]])) / np.tile(decay, 2)
    admittance, low = air, 0.0
    order = np.argsort(heights)
    for number, lowest in enumerate(order):
        depth, low = heights[lowest] - low, heights[lowest]
        discs = [(*centres[j], radii[j]) for j in order[number:]]
        eps = _fourier(orders, period, discs, permittivity)
        a, b = np.zeros_like(eps), np.zeros_like(eps)
        inverse = eps
        if normal:
            inverse = np.linalg.inv(_fourier(orders, period, discs, 1 / permittivity))
            xx, xy = _normals(orders)
            jump = eps - inverse
            a, b = (jump @ xx + xx @ jump) / 2, (jump @ xy + xy @ jump) / 2
        up = np.linalg.inv(eps)
        x, y = big_kx, big_ky
        cause = np.block([[x @ up @ y, one - x @ up @ x], [y @ up @ y - one, -y @ up @ x]])
        effect = curl + np.block([[-b, inverse + a], [a - eps, b]])
        squares, modes = np.linalg.eig(cause @ effect)
        rate = np.sqrt(squares.astype(complex))
        rate = np.where(rate.real < 0, -rate, rate)
        flow = effect @ modes / rate
        back = np.linalg.solve(flow + admittance @ modes, flow - admittance @ modes)
        fade = np.exp(-rate * k0 * depth)
        back = fade[:, None] * back * fade
        unit = np.eye(len(rate))
        admittance = np.linalg.solve((modes @ (unit + back)).T, (flow @ (unit - back)).T).T
    incident = np.zeros(2 * len(kx), complex)
    incident[len(kx) // 2] = 1
    return np.linalg.solve(air + admittance, (air - admittance) @ incident)[len(kx) // 2]
