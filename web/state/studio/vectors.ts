/** The little linear algebra of a latent space. */

export type Vector = readonly number[]

export function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

/** `a + scale · b` */
export function plus(a: Vector, b: Vector, scale = 1): Vector {
  return a.map((value, i) => value + scale * (b[i] ?? 0))
}

/** Along the arc from `a` to `b`, at `t` from 0 to 1 (Shoemake 1985); along the line where the two have no angle. */
export function spherical(a: Vector, b: Vector, t: number): Vector {
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)))
  const sine = Math.sin(angle)
  if (!(sine > 1e-6)) return a.map((value, i) => (1 - t) * value + t * (b[i] ?? 0))
  const [from, to] = [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine]
  return a.map((value, i) => from * value + to * (b[i] ?? 0))
}

/** Normally distributed (Box and Muller 1958). */
export function normalVector(length: number, random: () => number): Vector {
  return Array.from({ length }, () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
}

export interface Eigenvector {
  /** Of length 1. */
  readonly vector: Vector
  readonly value: number
}

const MOST_SWEEPS = 30

/** Of a symmetric matrix, largest value first, by Jacobi's rotations (Golub and Van Loan, section 8.5). */
export function symmetricEigenvectors(matrix: readonly Vector[]): readonly Eigenvector[] {
  const size = matrix.length
  const a = matrix.map((row) => Float64Array.from(row))
  const vectors = matrix.map((_, i) => Float64Array.from(matrix, (_, j) => (i === j ? 1 : 0)))
  const scale = Math.max(...matrix.map((row, i) => Math.abs(row[i] ?? 0)))
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let rest = 0
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = at(a, p, q)
        rest = Math.max(rest, Math.abs(off))
        if (off === 0) continue
        const theta = (at(a, q, q) - at(a, p, p)) / (2 * off)
        const tangent = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1))
        const cosine = 1 / Math.hypot(tangent, 1)
        const sine = tangent * cosine
        for (const row of a) rotate(row, p, q, cosine, sine)
        const [rowP, rowQ] = [a[p], a[q]]
        if (rowP && rowQ) rotateRows(rowP, rowQ, cosine, sine)
        for (const row of vectors) rotate(row, p, q, cosine, sine)
      }
    }
    if (rest <= scale * 1e-12) break
  }
  return Array.from(a, (row, i) => ({ value: row[i] ?? 0, vector: vectors.map((of) => of[i] ?? 0) })).sort(
    (x, y) => y.value - x.value,
  )
}

const at = (rows: readonly Float64Array[], i: number, j: number): number => rows[i]?.[j] ?? 0

function rotate(row: Float64Array, p: number, q: number, cosine: number, sine: number): void {
  const [x = 0, y = 0] = [row[p], row[q]]
  row[p] = cosine * x - sine * y
  row[q] = sine * x + cosine * y
}

function rotateRows(p: Float64Array, q: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < p.length; i++) {
    const [x = 0, y = 0] = [p[i], q[i]]
    p[i] = cosine * x - sine * y
    q[i] = sine * x + cosine * y
  }
}
