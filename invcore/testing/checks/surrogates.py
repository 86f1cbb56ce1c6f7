"""Checks of surrogates: predictions, how sure they are, and what is known of the rows."""

from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from invcore.base.seeding import generator, isolated
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.surrogate import FittedSurrogate, Prediction, SurrogateModel
from invcore.data.pairs import Pairs, joined
from invcore.testing.cases.comparison import same, same_mappings, unchanged, untouched_generators
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.cases.problems import Case, case
from invcore.testing.check import CheckFailed, only_if, require

_CASES = ("line", "bowl", "twist", "mixed")


def check_prediction(subject: Subject) -> None:
    """Means and variances are (N, Dy), finite and positive, in the responses' own units."""
    for name in _CASES:
        example, prediction = case(name), _asked(subject, name)
        shape = tuple(example.test.y.shape)
        for part in ("mean", "variance"):
            value: Tensor = getattr(prediction, part)
            found = tuple(value.shape)
            require(found == shape, f"{name}: {part} has shape {found}, expected {shape}")
            require(value.dtype == torch.float64, f"{name}: {part} is {value.dtype}, no float64")
            require(value.isfinite().all(), f"{name}: {part} is not finite")
        require((prediction.variance >= 0).all(), f"{name}: a variance is negative")
        if prediction.factor is not None:
            found = tuple(prediction.factor.shape[:2])
            require(found == shape, f"{name}: factor begins with {found}, expected {shape}")


def check_accuracy(subject: Subject) -> None:
    """Predictions of new designs are better than the mean of the known responses."""
    for name in _CASES:
        example, prediction = case(name), _asked(subject, name)
        wrong = (prediction.mean - example.test.y).square().mean(dim=0)
        ratio = float((wrong / example.train.y.var(dim=0)).max())
        fault = f"{name}: predictions are off by {ratio:.3g} variances of the responses"
        require(ratio < 0.5, f"{fault}: are they still scaled?")


def check_uncertainty(subject: Subject) -> None:
    """Most true responses are within three standard deviations, which are not endless."""
    for name in ("bowl", "twist"):
        example, prediction = case(name), _asked(subject, name)
        away = (prediction.mean - example.test.y).abs() / prediction.std.clamp(min=1e-300)
        small = (prediction.mean - example.test.y).abs() < 1e-4 * example.train.y.std(dim=0)
        inside = float(((away <= 3) | small).double().mean())
        require(inside > 0.8, f"{name}: {inside:.0%} are within three standard deviations")
        wide = float((prediction.std / example.train.y.std(dim=0)).mean())
        require(wide < 1.0, f"{name}: standard deviations are {wide:.2g} times the responses'")


def check_gradient(subject: Subject) -> None:
    """Gradients are the slopes of the means; those of categories are zero."""
    for name in ("bowl", "twist", "mixed"):
        example, fitted = case(name), _fitted(subject, name)
        x = example.designs_inside(8)
        gradient = fitted.gradient(x)
        shape = (8, example.task.responses.dim, example.task.designs.dim)
        require(tuple(gradient.shape) == shape, f"{name}: shape {tuple(gradient.shape)}")
        width = x.std(dim=0).clamp(min=1e-12)
        for i, variable in enumerate(example.task.designs.variables):
            if variable.categories:
                fault = f"{name}: the gradient of category {variable.name} is not zero"
                require(not gradient[:, :, i].any(), fault)
                continue
            step = torch.zeros_like(x)
            step[:, i] = 1e-2 * width[i]
            ahead, behind = (fitted.predict(x + sign * step).mean for sign in (1, -1))
            slope = (ahead - behind) / (2 * step[0, i])
            scale = slope.abs().mean() + example.train.y.std(dim=0).mean() * 1e-3 / width[i]
            off = float(((gradient[:, :, i] - slope).abs() / scale).median())
            require(off < 0.1, f"{name}: the gradient for {variable.name} is not the slope")


def check_partial_responses(subject: Subject) -> None:
    """Rows some of whose responses are unknown (NaN) teach the others."""
    example = case("twist")
    away = 3 * example.train.y.std(dim=0)  # so that nothing that is put in their place is right
    y = example.train.y + away
    y[::2, 0] = torch.nan
    fitted = _fit(subject, example, Pairs(example.train.x, y))
    mean = fitted.predict(example.test.x).mean - away
    require(mean.isfinite().all(), "unknown responses make predictions that are not finite")
    wrong = (mean - example.test.y).square().mean(dim=0) / example.train.y.var(dim=0)
    require((wrong < 0.5).all(), f"with unknown responses, errors are {wrong.tolist()} variances")


def check_weights(subject: Subject) -> None:
    """Rows of little weight hardly count."""
    example = case("bowl")
    wrong = Pairs(example.train.x.roll(7, 0), example.train.y + 3 * example.train.y.std())
    every = joined([example.train, wrong])
    weights = torch.ones(len(every)).double()
    weights[len(example.train) :] = 1e-6
    means = [_fit(subject, example, every, weights=w).predict(example.test.x).mean
             for w in (weights, None)]  # fmt: skip
    errors = [float((mean - example.test.y).square().mean()) for mean in means]
    fault = (
        f"wrong rows of weight 1e-6 leave an error of {errors[0]:.3g}, of weight 1 {errors[1]:.3g}"
    )
    require(errors[0] < 0.3 * errors[1], fault)


def check_noise(subject: Subject) -> None:
    """Responses whose noise is known to be large count less than others."""
    example = case("bowl")
    size = 3 * float(example.train.y.std())
    draws = torch.randn(len(example.train), 1, generator=generator(0, "kit-noise")).double()
    noisy = torch.arange(len(example.train)) % 2 == 0
    y = example.train.y + torch.where(noisy[:, None], size * draws, 0.0)
    noise = torch.where(noisy[:, None], size**2, 1e-12).expand_as(y).double()
    pairs = Pairs(example.train.x, y)
    means = [_fit(subject, example, pairs, noise=n).predict(example.test.x).mean
             for n in (noise, None)]  # fmt: skip
    errors = [float((mean - example.test.y).square().mean()) for mean in means]
    fault = f"known noise leaves an error of {errors[0]:.3g}, unknown noise {errors[1]:.3g}"
    require(errors[0] < 0.7 * errors[1], fault)


def check_groups(subject: Subject) -> None:
    """Rows that belong together are accepted as such."""
    example = case("bowl")
    group = torch.arange(len(example.train)) // 4
    mean = _fit(subject, example, example.train, groups=group).predict(example.test.x).mean
    ratio = float((mean - example.test.y).square().mean() / example.train.y.var())
    require(ratio < 0.5, f"with groups of rows, the error is {ratio:.3g} variances")


def check_state(subject: Subject) -> None:
    """A surrogate restored from its stored state predicts the same, bit for bit."""
    for name in ("twist", "mixed"):
        example, fitted = case(name), _fitted(subject, name)
        state = {k: v.detach().cpu().contiguous().clone() for k, v in fitted.state().items()}
        again = _model(subject).restore(example.problem, load(save(state)))
        first, second = (each.predict(example.test.x) for each in (fitted, again))
        equal = same(first.mean, second.mean) and same(first.variance, second.variance)
        require(equal, f"{name}: the restored surrogate predicts otherwise")
        lost = same_mappings(state, again.state())
        require(not lost, f"{name}: the restored state differs in {', '.join(lost[:3])}")


def check_same_seed(subject: Subject) -> None:
    """Two fits with one seed are the same; the global generators are left alone."""
    example, means = case("line"), []
    for seed in (1, 2):
        with isolated(seed), untouched_generators("fit"):
            means.append(_fit(subject, example, example.train).predict(example.test.x).mean)
    require(same(*means), "two fits with the same seed differ: draw from env.generator(...)")


def check_arguments_unchanged(subject: Subject) -> None:
    """Pairs and designs are as before; later changes of them do nothing."""
    example = case("twist")
    pairs = Pairs(example.train.x.clone(), example.train.y.clone())
    with unchanged("fit", x=pairs.x, y=pairs.y):
        fitted = _fit(subject, example, pairs)
    with unchanged("predict", x=example.test.x):
        before = fitted.predict(example.test.x).mean
    pairs.x.zero_(), pairs.y.zero_()
    require(same(before, fitted.predict(example.test.x).mean), "it still reads the caller's pairs")


def check_rows_independent(subject: Subject) -> None:
    """A prediction does not depend on the other designs that are asked about."""
    example, fitted = case("twist"), _fitted(subject, "twist")
    whole = fitted.predict(example.test.x).mean
    some = fitted.predict(example.test.x[:5]).mean
    close = torch.allclose(whole[:5], some, rtol=1e-4, atol=1e-5 * float(whole.abs().max()))
    require(close, "asked about fewer designs, it predicts otherwise")


def check_context(subject: Subject) -> None:
    """What is known of a problem is used, if the surrogate says so."""
    only_if(_model(subject).uses_context, "the surrogate says uses_context = False")
    example, fitted = case("known"), _fitted(subject, "known")
    own = example.test.context or {}
    others = {name: value.roll(1, 0) for name, value in own.items()}
    errors = [
        float((fitted.predict(example.test.x, c).mean - example.test.y).square().mean())
        for c in (own, others)
    ]
    fault = f"with another problem's context the error is {errors[1]:.3g}, with its own"
    require(errors[0] < 0.8 * errors[1], f"{fault} {errors[0]:.3g}: is the context used?")


def _model(subject: Subject) -> SurrogateModel[Any]:
    model = subject.build()
    if not isinstance(model, SurrogateModel):
        raise CheckFailed(f"{subject.name} is no SurrogateModel")
    return model


def _fit(subject: Subject, example: Case, pairs: Pairs, **more: Any) -> FittedSurrogate:
    fitted = _model(subject).fit(example.problem, pairs, FitEnvironment(), **more)
    if not isinstance(fitted, FittedSurrogate):
        raise CheckFailed(f"fit gives {type(fitted).__name__}, expected a FittedSurrogate")
    return fitted


def _fitted(subject: Subject, name: str) -> FittedSurrogate:
    if name not in subject.memory:
        example = case(name)
        subject.memory[name] = _fit(subject, example, example.train)
    fitted: FittedSurrogate = subject.memory[name]
    return fitted


def _asked(subject: Subject, name: str) -> Prediction:
    example = case(name)
    prediction = _fitted(subject, name).predict(example.test.x, example.test.context)
    if not isinstance(prediction, Prediction):
        raise CheckFailed(f"predict gives {type(prediction).__name__}, expected a Prediction")
    return prediction
