/** No bytes at all. */
export const nothing: Uint8Array = new Uint8Array(0)
