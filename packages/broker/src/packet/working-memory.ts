// What the broker works with beside what clients make it keep: shares of the heap, so that a small one has room for it too. None
// of it is refused to anybody: past a share something is found again, said again or waited for.

const mebibyte = 1_048_576

export interface WorkingMemory {
  /** Bytes of answers that the router remembers. */
  readonly routes: number
  /** Topics that are recognised; at most some 1,600 bytes each. */
  readonly topics: number
  /** Changes that may wait for the store before those who make them have to wait, too: about 100 bytes each. */
  readonly changes: number
  /** Bytes of messages and wills in them, likewise. */
  readonly changeBytes: number
  /** Places of walks over retained messages that are remembered, eight bytes each; what is past it comes again after a restart. */
  readonly walkPlaces: number
  /** Bytes of turns that a store collects before it writes them, at most. */
  readonly collected: number
}

/** @param heap bytes that the process may have */
export function workingMemory(heap: number = 512 * mebibyte): WorkingMemory {
  return {
    routes: Math.floor(heap / 32),
    topics: Math.max(64, Math.floor(heap / 131_072)),
    changes: Math.floor(heap / 10_000),
    changeBytes: Math.floor(heap / 32),
    walkPlaces: Math.floor(heap / 512),
    collected: Math.min(mebibyte, Math.floor(heap / 512)),
  }
}
