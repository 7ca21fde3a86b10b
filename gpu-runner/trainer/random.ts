/**
 * Random numbers of training: xoshiro128** (Blackman and Vigna 2021, https://doi.org/10.1145/3460772), seeded anew for
 * each step, so that a run is taken up again at any step with the numbers that it would have had.
 */
export class Random {
  readonly #state: Uint32Array

  /** @param parts whole numbers that name the sequence: a seed, a purpose, a step */
  constructor(...parts: readonly number[]) {
    // The finaliser of MurmurHash3 over the parts, four times with different beginnings.
    this.#state = Uint32Array.from([1, 2, 3, 4], (lane) => {
      let hash = Math.imul(lane, 0x9e3779b9)
      for (const part of parts) {
        for (const word of [part | 0, Math.floor(part / 2 ** 32) | 0]) hash = mix(Math.imul(hash, 31) ^ word)
      }
      return mix(hash ^ lane)
    })
  }

  /** 32 random bits. */
  uint32(): number {
    const s = this.#state as Uint32Array & Record<0 | 1 | 2 | 3, number>
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0
    const t = s[1] << 9
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotateLeft(s[3], 11)
    return result
  }

  /** In [0, 1). */
  uniform(): number {
    return this.uint32() / 2 ** 32
  }

  /** Fills an array with normal numbers of mean 0 and the given deviation (Box and Muller 1958). */
  normals(target: Float32Array, deviation = 1): Float32Array {
    for (let i = 0; i < target.length; i += 2) {
      const radius = deviation * Math.sqrt(-2 * Math.log((this.uint32() + 1) / 2 ** 32))
      const angle = 2 * Math.PI * this.uniform()
      target[i] = radius * Math.cos(angle)
      if (i + 1 < target.length) target[i + 1] = radius * Math.sin(angle)
    }
    return target
  }

  /** Puts elements in a random order, in place (Fisher and Yates). */
  shuffle(elements: Uint32Array): Uint32Array {
    for (let i = elements.length - 1; i > 0; i--) {
      const j = Math.floor(this.uniform() * (i + 1))
      const kept = elements[i] as number
      elements[i] = elements[j] as number
      elements[j] = kept
    }
    return elements
  }
}

const rotateLeft = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits))

function mix(hash: number): number {
  let h = hash | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
