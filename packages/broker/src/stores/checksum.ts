// CRC-32 (ISO 3309, as in zip), eight bytes a step.

export class Checksum {
  /** Eight tables of 256. */
  readonly #table: Int32Array = tables()

  /** Of bytes [start, end), 0 to 2^32 - 1. */
  of(bytes: Uint8Array, start: number, end: number): number {
    const table = this.#table
    let crc = -1
    let i = start
    for (; i + 8 <= end; i += 8) {
      crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
      crc =
        table[1792 + (crc & 0xff)]! ^
        table[1536 + ((crc >>> 8) & 0xff)]! ^
        table[1280 + ((crc >>> 16) & 0xff)]! ^
        table[1024 + (crc >>> 24)]! ^
        table[768 + bytes[i + 4]!]! ^
        table[512 + bytes[i + 5]!]! ^
        table[256 + bytes[i + 6]!]! ^
        table[bytes[i + 7]!]!
    }
    for (; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!
    return ~crc >>> 0
  }
}

function tables(): Int32Array {
  const table = new Int32Array(8 * 256)
  for (let i = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1
    table[i] = crc
  }
  for (let i = 256; i < 8 * 256; i++) table[i] = (table[i - 256]! >>> 8) ^ table[table[i - 256]! & 0xff]!
  return table
}
