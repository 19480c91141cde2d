// Memory that the connections of a server use in turns. V8 counts the bytes of arrays towards its collections: at 16 KiB a
// message these took a third of a server's time.

/** Shorter output has memory of its own: small arrays cost little, and the kept ones are for those that cost much. */
const leastShared = 4096
/** Bytes of kept output memory: a multiple of this. */
const outputStep = 32_768
const mostOutput = 163_840
/** Arrays for output that wait for their next use. */
const mostKept = 4
/** Four full records, and the type behind the last. */
const plaintextLength = 65_537

/** Every array is with one connection at a time. */
export class SharedMemory {
  readonly #outputs: Uint8Array[] = []
  /** What was made here, and may come back. */
  readonly #made: WeakSet<ArrayBufferLike> = new WeakSet()
  #plaintext: Uint8Array | undefined
  /** Plaintext memory that this call has been given. */
  #lent: Uint8Array | undefined
  #reads = false
  #gather: Uint8Array | undefined
  readonly #fault: (cause: unknown) => void

  /** @param fault gets what is thrown in here, where a connection is about to end: a defect of ours */
  constructor(fault: (cause: unknown) => void) {
    this.#fault = fault
  }

  #guard(work: () => Uint8Array): Uint8Array | undefined {
    try {
      return work()
    } catch (cause) {
      this.#fault(cause)
      return undefined
    }
  }

  /** At least `length` bytes. Never throws: it may be an alert that is written. */
  output(length: number): Uint8Array {
    const memory = this.#guard(() => this.#output(length))
    return memory ?? new Uint8Array(length)
  }

  #output(length: number): Uint8Array {
    if (length < leastShared || length > mostOutput) return new Uint8Array(length)
    const at = this.#outputs.findIndex((each) => each.length >= length)
    if (at >= 0) return this.#outputs.splice(at, 1)[0]!
    const made = new Uint8Array(Math.ceil(length / outputStep) * outputStep)
    this.#made.add(made.buffer)
    return made
  }

  /** The transport has let go of that output, once. */
  takeBack({ buffer }: Uint8Array): void {
    if (this.#made.has(buffer) && this.#outputs.length < mostKept) this.#outputs.push(new Uint8Array(buffer))
  }

  /** Memory for what a connection opens; lent while `reading` runs, and its own for ever at other times. */
  plaintext(length: number): Uint8Array {
    if (!this.#reads || length > plaintextLength) return new Uint8Array(length)
    const memory = this.#plaintext ?? new Uint8Array(plaintextLength)
    this.#plaintext = undefined
    this.#lent = memory
    return memory
  }

  /** Data of this very call is in memory that is used again after it. */
  isLent({ buffer }: Uint8Array): boolean {
    return this.#lent?.buffer === buffer
  }

  /** Somebody has kept a view of it: it is theirs. */
  giveAway(): void {
    this.#lent = undefined
  }

  /** A read of a connection. @param read says whether it has handed on all that it has opened */
  reading(read: () => boolean): void {
    const within = this.#reads
    this.#reads = true
    let isDone = false
    try {
      isDone = read()
    } finally {
      this.#reads = within
      if (isDone) this.#plaintext ??= this.#lent
      this.#lent = undefined
    }
  }

  /** All of them in one, for as long as `use` runs. */
  gathered(parts: readonly Uint8Array[], length: number, use: (whole: Uint8Array) => void): void {
    const memory = this.#gather !== undefined && this.#gather.length >= length ? this.#gather : new Uint8Array(length)
    this.#gather = undefined
    let at = 0
    for (const part of parts) {
      memory.set(part, at)
      at += part.length
    }
    try {
      use(memory.subarray(0, length))
    } finally {
      memory.fill(0, 0, length)
      this.#gather = memory
    }
  }
}
