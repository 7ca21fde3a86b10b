/** Losses, each a mean over the batch unless it says otherwise, []. */
import { add, dimsOf, exp, mul, neg, reshape, sizeOf, sub, sumAll, sumOfSquares } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/graph.ts'

/** The mean of all elements' squared differences. */
export const meanSquaredError = (g: GraphBuilder, x: Value, target: Value): Value =>
  mul(g, sumOfSquares(g, sub(g, x, target)), 1 / sizeOf(x))

/**
 * Binary cross-entropy of logits with targets in [0, 1], summed over the elements of each of `batch` items:
 * softplus(x) − x · target, with softplus(x) = max(x, 0) + log(1 + exp(−|x|)).
 */
export function binaryCrossEntropy(g: GraphBuilder, logits: Value, target: Value, batch: number): Value {
  return g.part([logits, target], () => {
    const softplus = softplusOf(g, logits)
    const loss = mul(g, sumAll(g, sub(g, softplus, mul(g, logits, target))), 1 / batch)
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const scale = mul(g, dy, 1 / batch)
      const [probabilities] = g.op('Sigmoid', [logits], {})
      return [mul(g, sub(g, probabilities, target), scale), mul(g, neg(g, logits), scale)]
    }
    return { outputs: [loss], gradient }
  })[0]
}

/** log(1 + exp(x)), quicker than the operator Softplus: max(x, 0) − log(sigmoid(|x|)). */
export function softplusOf(g: GraphBuilder, x: Value): Value {
  return g.part([x], () => {
    const [positive] = g.op('Relu', [x], {})
    const [magnitude] = g.op('Abs', [x], {})
    const [share] = g.op('Sigmoid', [magnitude], {})
    const [log] = g.op('Log', [share], {})
    return {
      outputs: [sub(g, positive, log)],
      gradient: ([dy]) => [dy && mul(g, dy, g.op('Sigmoid', [x], {})[0])],
    }
  })[0]
}

/** Independent normal distributions, [items, latents]. */
export interface Gaussian {
  readonly mean: Value
  readonly logVariance: Value
}

/**
 * KL(posterior ‖ prior), summed over the latents of each item; the prior is N(0, 1) if none is given.
 * (Kingma and Welling 2014, appendix B)
 */
export function gaussianKl(g: GraphBuilder, posterior: Gaussian, prior?: Gaussian): Value {
  const { mean, logVariance } = posterior
  const batch = dimsOf(mean)[0] ?? 1
  const away = prior ? sub(g, mean, prior.mean) : mean
  const spread = add(g, mul(g, away, away), exp(g, logVariance))
  const [narrower, scaled] = prior
    ? [sub(g, logVariance, prior.logVariance), mul(g, spread, exp(g, neg(g, prior.logVariance)))]
    : [logVariance, spread]
  return mul(g, sumAll(g, sub(g, sub(g, scaled, narrower), 1)), 0.5 / batch)
}

/** Cross-entropy of logits [rows, classes] with the class of each row, int64 [rows]. */
export function crossEntropy(g: GraphBuilder, logits: Value, classes: Value): Value {
  const [rows = 1] = dimsOf(logits)
  return g.part([logits], () => {
    const [logProbabilities] = g.op('LogSoftmax', [logits], { axis: -1 })
    const column = reshape(g, classes, [rows, 1])
    const [picked] = g.op('GatherElements', [logProbabilities, column], { axis: 1 })
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const scale = mul(g, dy, 1 / rows)
      const probabilities = mul(g, exp(g, logProbabilities), scale)
      const minus = g.op('Expand', [reshape(g, neg(g, scale), [1, 1]), g.integers([rows, 1])], {})[0]
      return [g.op('ScatterElements', [probabilities, column, minus], { axis: 1, reduction: 'add' })[0]]
    }
    return { outputs: [mul(g, sumAll(g, picked), -1 / rows)], gradient }
  })[0]
}

/** mean(softplus(−real)) + mean(softplus(fake)): binary cross-entropy with 1 and 0. (Goodfellow et al. 2014) */
export function logisticCritic(g: GraphBuilder, real: Value, fake: Value): Value {
  const meanOf = (x: Value) => mul(g, sumAll(g, softplusOf(g, x)), 1 / sizeOf(x))
  return add(g, meanOf(neg(g, real)), meanOf(fake))
}

/** mean(softplus(−fake)): the generator's loss that does not saturate. (Goodfellow et al. 2014) */
export const logisticGenerator = (g: GraphBuilder, fake: Value): Value =>
  mul(g, sumAll(g, softplusOf(g, neg(g, fake))), 1 / sizeOf(fake))

/**
 * mean(softplus(below − above)), of pairs of a real and a made image: the critic's loss makes the real one's logit greater
 * than the made one's, the generator's the other way round. (Jolicoeur-Martineau 2019, arXiv:1807.00734, as Huang et al.
 * 2024 have it, arXiv:2501.05441)
 */
export const relativistic = (g: GraphBuilder, above: Value, below: Value): Value =>
  mul(g, sumAll(g, softplusOf(g, sub(g, below, above))), 1 / sizeOf(below))

/**
 * About the mean squared length of the gradient at images, R1 (Mescheder et al. 2018, arXiv:1801.04406): how much the
 * logits of images change with a little noise, instead of a second derivative. (Lin et al. 2025, arXiv:2501.08316)
 * @param near the logits of the images with normal noise of the given deviation
 */
export const squaredGradient = (g: GraphBuilder, logits: Value, near: Value, deviation: number): Value =>
  mul(g, sumOfSquares(g, sub(g, near, logits)), 1 / (sizeOf(logits) * deviation ** 2))

/**
 * A perceptual loss: how far what a critic sees in made images is from what it sees in real ones, the mean difference of
 * each layer's features, added up over the layers. (Johnson et al. 2016, arXiv:1603.08155; by a critic's own features as
 * in Wang et al. 2018, arXiv:1711.11585)
 * @param weights [images, 1], of each image
 */
export function perceptual(g: GraphBuilder, made: readonly Value[], real: readonly Value[], weights: Value): Value {
  const [images = 1] = dimsOf(weights)
  const distances = made.map((features, i) => {
    const [apart] = g.op('Abs', [sub(g, features, real[i] as Value)], {})
    const each = reshape(g, apart, [images, sizeOf(apart) / images])
    return mul(g, sumAll(g, mul(g, each, weights)), 1 / sizeOf(apart))
  })
  const [first, ...rest] = distances
  if (!first) throw new TypeError('there are no features')
  return rest.length > 0 ? g.op('Sum', distances, {})[0] : first
}
