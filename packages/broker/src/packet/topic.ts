// Topic Names (MQTT 5.0 section 4.7), read from bytes once and then recognised: publishers repeat their topics, so a
// bounded table gives the same Topic object for the same bytes and whoever needs to can keep a result on it.

import { copy, decodeText, encodeText, sameBytes } from "./bytes.ts"
import { malformed, PacketError } from "./errors.ts"
import { guardTopicName } from "./guard.ts"
import { ReasonCode } from "./reason-codes.ts"

/** A checked Topic Name. */
export class Topic {
  readonly name: string
  readonly bytes: Uint8Array
  /** What the router found for this topic; see routing/router.ts. */
  routes: object | undefined = undefined

  constructor(name: string, bytes: Uint8Array) {
    this.name = name
    this.bytes = bytes
  }
}

/** Longer topics are not remembered, so that the table's memory has a bound: slots x 512 bytes. */
const rememberedBytes = 512

/** A bounded, direct-mapped table of recently used topics. */
export class TopicTable {
  readonly #slots: (Topic | undefined)[]
  readonly #mask: number
  readonly #maximumLevels: number

  /** Topics of more than `maximumLevels` levels are refused; `slots` is rounded up to a power of two. */
  constructor(maximumLevels: number, slots = 4096) {
    this.#maximumLevels = maximumLevels
    let size = 1
    while (size < slots) size *= 2
    this.#slots = new Array<Topic | undefined>(size).fill(undefined)
    this.#mask = size - 1
  }

  /** The topic whose name is bytes [start, end). Throws PacketError when they are no Topic Name. */
  read(bytes: Uint8Array, start: number, end: number): Topic {
    const length = end - start
    if (length > rememberedBytes) return this.#readTopic(bytes, start, end)
    let hash = length
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & this.#mask
    const known = this.#slots[slot]
    if (known !== undefined && sameBytes(known.bytes, bytes, start, end)) return known
    const topic = this.#readTopic(bytes, start, end)
    this.#slots[slot] = topic
    return topic
  }

  /** The topic of that name. Throws PacketError when it is no Topic Name. */
  of(name: string): Topic {
    const bytes = encodeText(name)
    if (bytes.length > 0xffff) throw malformed("MQTT-4.7.3-3", "a Topic Name has more than 65,535 bytes")
    return this.read(bytes, 0, bytes.length)
  }

  #readTopic(bytes: Uint8Array, start: number, end: number): Topic {
    const name = decodeText(bytes, start, end)
    guardTopicName(name)
    let levels = 1
    for (let i = start; i < end; i++) if (bytes[i] === 0x2f) levels++
    if (levels > this.#maximumLevels) {
      const what = `a Topic Name has more than ${this.#maximumLevels} levels`
      throw new PacketError(ReasonCode.TopicNameInvalid, "4.7.3", what)
    }
    const own = new Uint8Array(end - start)
    copy(own, 0, bytes, start, end)
    return new Topic(name, own)
  }
}
