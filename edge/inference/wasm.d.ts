/** What the bundler makes of a WebAssembly file: a module, compiled before the Worker starts. */
declare module '*.wasm' {
  const compiled: object
  export default compiled
}
