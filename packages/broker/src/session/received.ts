// Packet Identifiers of QoS 2 messages that have come and are not released yet ([MQTT-4.3.3-10]). They outlive connections; what
// counts against the broker's Receive Maximum does not (MQTT 5.0 section 4.9).

export class ReceivedIdentifiers {
  /** Those that came, or came again, on this connection. */
  readonly #now: Set<number> = new Set()
  /** Those that earlier connections have left; few sessions have any. */
  #before: Set<number> | undefined

  get size(): number {
    return this.#now.size + (this.#before?.size ?? 0)
  }

  /** How many count against Receive Maximum. */
  get counting(): number {
    return this.#now.size
  }

  has(packetId: number): boolean {
    return this.#now.has(packetId) || this.#before?.has(packetId) === true
  }

  /** A connection begins. */
  begin(): void {
    if (this.#now.size === 0) return
    this.#before ??= new Set()
    for (const packetId of this.#now) this.#before.add(packetId)
    this.#now.clear()
  }

  /** It comes, or comes again. */
  add(packetId: number): void {
    this.#before?.delete(packetId)
    this.#now.add(packetId)
  }

  /** False when it was not there. */
  delete(packetId: number): boolean {
    return this.#now.delete(packetId) || this.#before?.delete(packetId) === true
  }

  clear(): void {
    this.#now.clear()
    this.#before = undefined
  }
}
