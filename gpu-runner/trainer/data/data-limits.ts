/** How much a data set may hold. Each limit is named in the error that going over it gives. */
export const DATA_LIMITS = {
  /** Files in an archive. */
  entries: 200_000,
  /** Bytes of one file of an archive, unpacked, and of all of them. */
  entryBytes: 32 * 2 ** 20,
  archiveBytes: 4 * 2 ** 30,
  /** Pixels of an image as it was uploaded, from its header: it is not decoded before that is known. */
  imagePixels: 50_000_000,
  /** Bytes of all images of a data set, in the size that they are trained in. */
  sampleBytes: 2 ** 31,
  /** Bytes of one line of a table, and its rows, columns, and cells. */
  lineBytes: 2 ** 20,
  rows: 2_000_000,
  columns: 1_024,
  cells: 2 ** 27,
  captionLength: 1_000,
  /** Bytes of a translation memory, which is read whole. */
  tmxBytes: 256 * 2 ** 20,
} as const
