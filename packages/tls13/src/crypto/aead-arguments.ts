// What every AEAD key object checks before it touches a byte: a wrong length here is a defect of the caller.

/** @throws RangeError */
export function checkKeyLength(key: Uint8Array, length: number, name: string): void {
  if (key.length !== length) throw new RangeError(`${name} takes a key of ${length} bytes, not ${key.length}`)
}

/** @throws RangeError */
export function checkNonceAndRoom(nonce: Uint8Array, out: Uint8Array, at: number, need: number): void {
  if (nonce.length !== 12) throw new RangeError(`the nonce has ${nonce.length} bytes instead of 12`)
  if (at < 0 || at + need > out.length) {
    throw new RangeError(`${need} bytes do not fit at ${at} into a buffer of ${out.length}`)
  }
}

/** A wiped key would be a key of zeros that everybody knows. */
export function wipedKey(): Error {
  return new Error("the AEAD key was wiped and cannot be used any more")
}
