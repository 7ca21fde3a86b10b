/** UMAP (McInnes, Healy and Melville 2018, arXiv:1802.03426): points that are near each other stay so, in a plane. */
import { UMAP } from 'umap-js'
import { sfc32 } from '#models/random/normal.ts'

/** Epochs between looks at what else this Worker has to do. */
const EPOCHS_AT_ONCE = 25

/**
 * @param rows at least 4
 * @param seed a whole number of 32 bits: the same gives the same
 * @param neighbors of each point, which the plane keeps together
 * @returns [rows][2]
 */
export async function umapPlane(
  rows: readonly (readonly number[])[],
  { seed, neighbors }: { readonly seed: number; readonly neighbors: number },
): Promise<[number, number][]> {
  const umap = new UMAP({ random: sfc32(seed), nNeighbors: Math.min(neighbors, rows.length - 1) })
  const epochs = umap.initializeFit(rows.map((row) => [...row]))
  for (let epoch = 1; epoch <= epochs; epoch++) {
    umap.step()
    if (epoch % EPOCHS_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve, 0))
  }
  return umap.getEmbedding().map(([x = 0, y = 0]) => [x, y])
}
