/**
 * Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747): 60,000 + 10,000 grey pictures of clothes, 28 × 28, in ten
 * classes. MIT licence, Zalando SE.
 */
import type { ImageSet } from '../data-set.ts'
import { type SourceFile, sourceFile } from '../source-files.ts'

const URL = 'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion'
const FOLDER = 'usr/share/datasets/fashion-mnist'
const file = (name: string, sha256: string): SourceFile => ({
  name: `Fashion-MNIST (${name})`,
  sha256,
  gzipped: true,
  sources: [
    { kind: 'url', url: `${URL}/${name}.gz` },
    { kind: 'debian', package: 'dataset-fashion-mnist', file: `${FOLDER}/${name}.gz` },
  ],
})
const FILES = {
  train: {
    images: file('train-images-idx3-ubyte', 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888'),
    labels: file('train-labels-idx1-ubyte', 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9'),
  },
  test: {
    images: file('t10k-images-idx3-ubyte', '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b'),
    labels: file('t10k-labels-idx1-ubyte', '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34'),
  },
}
const CLASSES = ['T-shirt', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot']
const SIDE = 28

/** One of its two parts. @param side 28, or 32 with two rows and columns of zeros around */
export async function fashionMnist(part: 'train' | 'test', side: 28 | 32, root: string): Promise<ImageSet> {
  const images = idx(await sourceFile(FILES[part].images, root))
  const labels = idx(await sourceFile(FILES[part].labels, root))
  const count = labels.length
  const border = (side - SIDE) / 2
  const pixels = new Uint8Array(count * side * side)
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < SIDE; row++) {
      const from = (image * SIDE + row) * SIDE
      pixels.set(images.subarray(from, from + SIDE), (image * side + row + border) * side + border)
    }
  }
  return {
    kind: 'images',
    count,
    channels: 1,
    height: side,
    width: side,
    pixels,
    labels: Int32Array.from(labels),
    classes: CLASSES,
  }
}

/** The bytes of an IDX file (http://yann.lecun.com/exdb/mnist/), behind its header: magic number, then the dimensions. */
function idx(bytes: Buffer): Uint8Array {
  const rank = bytes.readUInt8(3)
  return bytes.subarray(4 + 4 * rank)
}
