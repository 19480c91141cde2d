/// <reference types="node" />

// The same for Buffer, where the types of Node are known: see bytes-slice.d.ts.

declare module "node:buffer" {
  global {
    interface Buffer<TArrayBuffer extends ArrayBufferLike> {
      /** Not in the sources: `copyOf` copies, `subarray` is a view. */
      slice(start?: number, end?: number): unknown
    }
  }
}
