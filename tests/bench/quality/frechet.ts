/**
 * The Fréchet distance of two sets of features, each taken for a normal distribution (Heusel et al. 2017,
 * arXiv:1706.08500): |m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁ C₂)^½).
 */

/** @param a [n, width], as is `b`, each with a number of rows of its own */
export function frechetDistance(a: Float32Array, b: Float32Array, width: number): number {
  const [first, second] = [momentsOf(a, width), momentsOf(b, width)]
  const apart = first.mean.reduce((sum, value, i) => sum + (value - (second.mean[i] ?? 0)) ** 2, 0)
  const trace = (m: readonly (readonly number[])[]) => m.reduce((sum, row, i) => sum + (row[i] ?? 0), 0)
  // (C₁ C₂)^½ has the eigenvalues of (C₁^½ C₂ C₁^½)^½, which is symmetric.
  const root = rootOf(first.covariance)
  const { values } = eigen(product(product(root, second.covariance), root))
  const shared = values.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0)
  return apart + trace(first.covariance) + trace(second.covariance) - 2 * shared
}

type Matrix = readonly (readonly number[])[]

function momentsOf(rows: Float32Array, width: number): { mean: number[]; covariance: Matrix } {
  const count = rows.length / width
  const mean = Array.from({ length: width }, (_, k) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum += rows[i * width + k] ?? 0
    return sum / count
  })
  const covariance = Array.from({ length: width }, () => new Array<number>(width).fill(0))
  for (let i = 0; i < count; i++) {
    const row = mean.map((centre, k) => (rows[i * width + k] ?? 0) - centre)
    for (const [k, x] of row.entries()) {
      const sums = covariance[k] ?? []
      for (const [l, y] of row.entries()) sums[l] = (sums[l] ?? 0) + (x * y) / (count - 1)
    }
  }
  return { mean, covariance }
}

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b.map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] ?? 0), 0)))

/** The square root of a symmetric matrix that has no negative eigenvalues. */
function rootOf(matrix: Matrix): Matrix {
  const { values, vectors } = eigen(matrix)
  const scaled = vectors.map((row) => row.map((value, k) => value * Math.sqrt(Math.max(0, values[k] ?? 0))))
  return product(
    scaled,
    vectors.map((_, k) => vectors.map((row) => row[k] ?? 0)),
  )
}

const MOST_SWEEPS = 60

/** Eigenvalues of a symmetric matrix, and its eigenvectors as columns, by Jacobi's rotations. */
function eigen(matrix: Matrix): { values: number[]; vectors: number[][] } {
  const size = matrix.length
  const a = matrix.map((row) => [...row])
  const vectors = a.map((_, i) => a.map((_, j) => Number(i === j)))
  const at = (m: number[][], i: number, j: number) => m[i]?.[j] ?? 0
  const scale = Math.max(...a.flat().map(Math.abs))
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let off = 0
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const apq = at(a, p, q)
        off = Math.max(off, Math.abs(apq))
        if (Math.abs(apq) <= 1e-14 * scale) continue
        const theta = (at(a, q, q) - at(a, p, p)) / (2 * apq)
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1))
        const cosine = 1 / Math.hypot(t, 1)
        const sine = t * cosine
        const rotate = (m: number[][], [i, j]: [number, number], [k, l]: [number, number]) => {
          const [x, y] = [at(m, i, j), at(m, k, l)]
          const [first, second] = [m[i], m[k]]
          if (first) first[j] = cosine * x - sine * y
          if (second) second[l] = sine * x + cosine * y
        }
        for (let k = 0; k < size; k++) rotate(a, [k, p], [k, q])
        for (let k = 0; k < size; k++) rotate(a, [p, k], [q, k])
        for (let k = 0; k < size; k++) rotate(vectors, [k, p], [k, q])
      }
    }
    if (off <= 1e-12 * scale) break
  }
  return { values: a.map((row, i) => row[i] ?? 0), vectors }
}
