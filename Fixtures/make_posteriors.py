"""Posteriors of hierarchical binomial models by numpyro, which Assay's sampler is checked against.

Maker:    this script
Seed:     1 for the counts, 2 for the chains
Versions: Python 3.11, numpyro 0.22.0, jax 0.10.2

    make_posteriors.py [OUT]
        Writes OUT (Fixtures/posteriors/reference.json beside this script): for every model its priors, its cells with
        counts, and of mu, each ln sigma and each level's effect the mean, the standard deviation and the quantiles .05,
        .5 and .95 over 4 chains of 5,000 draws, with the effective number of draws.

`groups` is HiBayES' two_level_group_binomial (arXiv 2505.05602) with its priors; `crossed` has the four factors that
Assay uses, on counts as uneven as a run's.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import effective_sample_size
from numpyro.infer import MCMC, NUTS

numpyro.enable_x64()
numpyro.set_host_device_count(2)


def model(levels, sizes, scales, centre, trials, successes):
    mu = numpyro.sample("mu", dist.Normal(0, centre))
    eta = mu
    for j, (size, scale) in enumerate(zip(sizes, scales)):
        sigma = numpyro.sample(f"sigma{j}", dist.HalfNormal(scale))
        with numpyro.plate(f"level{j}", size):
            z = numpyro.sample(f"z{j}", dist.Normal(0, 1))
        numpyro.deterministic(f"effect{j}", sigma * z)
        eta = eta + sigma * z[levels[:, j]]
    numpyro.sample("successes", dist.Binomial(trials, logits=eta), obs=successes)


def summary(draws):
    flat = draws.reshape(-1)
    low, middle, high = np.quantile(flat, [0.05, 0.5, 0.95])
    return {
        "mean": float(flat.mean()), "deviation": float(flat.std(ddof=1)),
        "low": float(low), "middle": float(middle), "high": float(high),
        "draws": float(effective_sample_size(draws)),
    }


def posterior(name, levels, sizes, scales, centre, trials, successes):
    mcmc = MCMC(
        NUTS(model, target_accept_prob=0.95), num_warmup=2000, num_samples=5000, num_chains=4,
        chain_method="sequential", progress_bar=False)
    mcmc.run(
        jax.random.PRNGKey(2), jnp.array(levels), sizes, scales, centre, jnp.array(trials),
        jnp.array(successes))
    own = {k: np.asarray(v) for k, v in mcmc.get_samples(group_by_chain=True).items()}
    return {
        "name": name, "centre": centre,
        "factors": [{"levels": s, "scale": c} for s, c in zip(sizes, scales)],
        "cells": [
            {"levels": [int(x) for x in row], "successes": int(k), "trials": int(n)}
            for row, k, n in zip(levels, successes, trials)
        ],
        "mu": summary(own["mu"]),
        "logSpreads": [summary(np.log(own[f"sigma{j}"])) for j in range(len(sizes))],
        "effects": [
            [summary(own[f"effect{j}"][..., i]) for i in range(size)]
            for j, size in enumerate(sizes)
        ],
    }


def counts(generator, levels, spreads, mu, trials):
    levels = np.array(levels)
    effects = [generator.normal(0, s, levels[:, j].max() + 1) for j, s in enumerate(spreads)]
    eta = mu + sum(e[levels[:, j]] for j, e in enumerate(effects))
    return generator.binomial(trials, 1 / (1 + np.exp(-eta)))


def main():
    generator = np.random.default_rng(1)
    groups = [[0, g] for g in range(8)]
    group_trials = np.array([5, 20, 40, 12, 33, 8, 60, 25])
    group_counts = counts(generator, groups, [0.0, 0.8], -0.4, group_trials)
    methods, organisms, family = 4, 9, [0, 0, 1, 1, 1, 2, 3, 3, 4]
    crossed = [
        [m, family[o], o, m * organisms + o] for m in range(methods) for o in range(organisms)
        if (m + o) % 7  # a few cells are missing
    ]
    crossed_trials = generator.choice([3, 6], len(crossed))
    crossed_counts = counts(generator, crossed, [1.2, 0.7, 0.5, 0.6], 0.2, crossed_trials)
    reference = [
        posterior("groups", groups, [1, 8], [0.5, 0.1], 1.0, group_trials, group_counts),
        posterior(
            "crossed", crossed, [methods, 5, organisms, methods * organisms], [1.0] * 4, 1.5,
            crossed_trials, crossed_counts),
    ]
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / "posteriors/reference.json")
    out.write_text(json.dumps(reference, indent=None) + "\n")


main()
