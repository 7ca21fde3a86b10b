/** @throws what `late` makes, if `work` has not settled within `ms` */
export async function settledWithin<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(late()), ms)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    // What comes of it later is nobody's.
    work.catch(() => {})
  }
}
