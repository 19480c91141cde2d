// What reading and writing records share: the keys of one direction, and the most that a record of it may have.

import type { CipherSuiteAlgorithms } from "../crypto/provider.ts"
import {
  type KeysObserver,
  maxInnerLength,
  type RecordObserver,
  RecordProtection,
  type RecordScratch,
  recordScratch,
} from "./protection.ts"

export interface RecordSideOptions {
  readonly observer?: RecordObserver | undefined
  /** Shared with others; default: one of its own. */
  readonly scratch?: RecordScratch | undefined
}

export class RecordSide {
  protected readonly observer: RecordObserver | undefined
  protected readonly scratch: RecordScratch
  /** Of the records to come; undefined: they are in the clear. */
  protection: RecordProtection | undefined
  /** Bytes of a TLSInnerPlaintext: content, type and padding. */
  maxInner: number = maxInnerLength

  constructor({ observer, scratch }: RecordSideOptions) {
    this.observer = observer
    this.scratch = scratch ?? recordScratch()
  }

  /** Protects the records from the next one on with the keys of `secret`; the sequence number begins at 0 (section 5.3). */
  protect(suite: CipherSuiteAlgorithms, secret: Uint8Array, observer?: KeysObserver): void {
    this.replace(new RecordProtection(suite, secret, observer, 0, this.scratch))
  }

  /** Other keys, or none; those before are erased. */
  replace(protection?: RecordProtection): void {
    const before = this.protection
    this.protection = protection
    before?.wipe()
  }
}
