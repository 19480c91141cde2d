/** Whether the bytes [start, end) are well-formed UTF-8 (RFC 3629, Unicode Table 3-7), of any characters, U+0000 too. */
export function isWellFormed(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start
  while (i < end) {
    const first = bytes[i++]!
    if (first < 0x80) continue
    if (first < 0xc2 || first > 0xf4) return false
    const more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
    if (i + more > end) return false
    // The second byte's range rules out over-long forms, surrogates and values above U+10FFFF.
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    if (bytes[i]! < low || bytes[i]! > high) return false
    for (let k = 1; k < more; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return false
    i += more
  }
  return true
}
