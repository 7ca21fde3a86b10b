/** What a sequence comes to; what it yields on the way is passed over. */
export async function returned<T>(sequence: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const { done, value } = await sequence.next()
    if (done) return value as T
  }
}
