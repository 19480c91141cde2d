// What workerd makes of an import of a .wasm file: a WebAssembly.Module.
declare module "*.wasm" {
  const module: object
  // biome-ignore lint/style/noDefaultExport: it is what the runtime does
  export default module
}
