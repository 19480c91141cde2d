// Room for the limbs of field elements. An engine allocates what is larger than 64 bytes outside its heap, which takes about as
// long as a multiplication of two elements; so elements are parts of larger arrays.

const ELEMENTS = 32

const room = { array: new Float64Array(0), used: 0 }

/** Twelve zeros. */
export function twelve(): Float64Array {
  if (room.used === room.array.length) {
    room.array = new Float64Array(12 * ELEMENTS)
    room.used = 0
  }
  room.used += 12
  return room.array.subarray(room.used - 12, room.used)
}

/** A copy of twelve numbers. */
export function copyOfTwelve(limbs: Float64Array): Float64Array {
  const copy = twelve()
  copy.set(limbs)
  return copy
}
