// Files that hold secrets, written as things happen: for this user's eyes only, and never a reason for a connection to end.

import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from "node:fs"
import { CommandError, reasonOf } from "./arguments.ts"

/** A file that nothing more is written into after the first failure, which is told. */
export class SecretFile {
  readonly #path: string
  readonly #say: (line: string) => void
  #descriptor: number | undefined

  /** Makes the file, empties one that is there, and takes it from others. @throws CommandError */
  constructor(path: string, say: (line: string) => void) {
    this.#path = path
    this.#say = say
    try {
      this.#descriptor = openSync(path, "w", 0o600)
      // One that was there keeps its mode when it is opened. A pipe has none to be changed.
      if (fstatSync(this.#descriptor).isFile()) fchmodSync(this.#descriptor, 0o600)
    } catch (error) {
      throw new CommandError(`${path} cannot be written: ${reasonOf(error)}`)
    }
  }

  /** @param at of the first byte in the file; undefined: behind what was written before */
  write(bytes: Uint8Array, at?: number): void {
    if (this.#descriptor === undefined) return
    try {
      for (let done = 0; done < bytes.length; ) {
        const position = at === undefined ? null : at + done
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, position)
      }
    } catch (error) {
      this.close()
      this.#say(`${this.#path} cannot be written: ${reasonOf(error)}; what comes now is not in it`)
    }
  }
  close(): void {
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
