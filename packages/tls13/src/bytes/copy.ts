/**
 * A copy in memory of our own, a plain Uint8Array whatever is given: `slice` of a Buffer is a view of the same bytes.
 * What came from outside is copied by this before it is kept, changed or wiped.
 */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
