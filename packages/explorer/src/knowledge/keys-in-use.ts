// Under which key each record of a sender is sealed: the one that the stack told of last or, of a connection that is only looked at, the
// one that opens it.

import { trafficKeys } from "@puremq/tls13/explore"
import type { SecretName } from "../run/names.ts"
import type { End } from "../run/step.ts"
import type { Flow } from "./flow.ts"
import { openRecord, type Protection } from "./protection.ts"

interface Keys {
  readonly step: number
  readonly secretName: SecretName
  readonly generation: number
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

export type KeyUsed = Protection & Omit<Keys, "step">

export class KeysInUse {
  readonly #suite: Flow["suite"]
  readonly #keys: readonly Keys[]
  readonly #areTold: boolean
  /** Records sealed under each so far: a new key begins with 0 (section 5.3). */
  readonly #counts = new Map<Keys, number>()
  #current: Keys | undefined

  constructor({ suite, keys, secrets }: Flow, from: End) {
    const told = keys.filter(({ sender }) => sender === from)
    this.#suite = suite
    this.#areTold = told.length > 0
    this.#keys = this.#areTold
      ? told
      : secrets
          .filter(({ name, secret }) => name.startsWith(from) && secret.length === suite.hash.length)
          .map(({ step, name, secret, generation }) => ({
            ...{ step, generation, secretName: name },
            ...trafficKeys(suite, secret),
          }))
  }

  /** Of the next record, which is told of at a step; undefined: nobody knows. */
  next(step: number, record: Uint8Array): KeyUsed | undefined {
    const found = this.#areTold
      ? this.#keys.findLast((keys) => keys.step < step)
      : this.#candidates(step).find((keys) => openRecord(this.#used(keys), record).opened)
    if (found === undefined) return undefined
    const used = this.#used(found)
    this.#current = found
    this.#counts.set(found, used.sequenceNumber + 1)
    return used
  }

  /** The current one, and those that came after it. */
  #candidates(step: number): readonly Keys[] {
    const at = this.#current === undefined ? 0 : this.#keys.indexOf(this.#current)
    return this.#keys.slice(at).filter((keys) => keys.step < step)
  }

  #used(keys: Keys): KeyUsed {
    const { secretName, generation, key, iv } = keys
    return { suite: this.#suite, secretName, generation, key, iv, sequenceNumber: this.#counts.get(keys) ?? 0 }
  }
}
