// Makes the compiler refuse `slice` on bytes in the sources. A function that is given bytes is given Buffers too, and
// their `slice` is a view: a copy that is reversed, wiped or kept would be the caller's own array. `copyOf` of
// bytes/copy.ts copies, `subarray` is a view. An overload declared later is tried first, and nothing can be done with
// its result. Strings, lists and arrays of other numbers keep their `slice`.

interface Uint8Array<TArrayBuffer extends ArrayBufferLike> {
  /** Not in the sources: `copyOf` copies, `subarray` is a view. */
  slice(start?: number, end?: number): unknown
}
