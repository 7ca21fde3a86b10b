/** A graph that ONNX would not accept. The message names the node and what is wrong with it. */
export class GraphError extends Error {
  override readonly name = 'GraphError'
}
