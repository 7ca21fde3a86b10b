/** A list as OpenAI's clients page through it. */
export function listed<T extends { id: string }>({ data, hasMore }: { data: readonly T[]; hasMore: boolean }) {
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  }
}
