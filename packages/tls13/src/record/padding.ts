// RFC 9846 section 5.4: how much to pad is the sender's choice, and what is right depends on the application.

/**
 * Bytes of padding for a record.
 * @param contentType the inner content type, one of `ContentType`
 * @param length bytes of content, 0 to 2^14
 * @param room the most padding that fits; an answer above it is cut to it
 */
export type PaddingPolicy = (contentType: number, length: number, room: number) => number

/** Rounds the content up to a multiple of `block` bytes. @param block 1 to 2^14 */
export function padToMultipleOf(block: number): PaddingPolicy {
  return (_contentType, length) => (block - (length % block)) % block
}

/** Makes all records as long as the longest. */
export function padToFull(): PaddingPolicy {
  return (_contentType, _length, room) => room
}
