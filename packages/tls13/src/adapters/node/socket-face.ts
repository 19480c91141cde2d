// What a TLSSocket shows of the TCP socket below it: addresses, counters, options, and an idle timer of its own.

import type { AddressInfo } from "node:net"
import { Duplex, type DuplexOptions } from "node:stream"
import { socketOf } from "./raw-transport.ts"

export abstract class SocketFace extends Duplex {
  /** A TCP socket or any other Duplex. */
  protected readonly raw: Duplex
  /** As `setTimeout` set it, in milliseconds. */
  timeout: number = 0
  #idleTimer: NodeJS.Timeout | undefined

  protected constructor(raw: Duplex, options: DuplexOptions) {
    super(options)
    this.raw = raw
  }

  get remoteAddress(): string | undefined {
    return socketOf(this.raw)?.remoteAddress
  }

  get remotePort(): number | undefined {
    return socketOf(this.raw)?.remotePort
  }

  get remoteFamily(): string | undefined {
    return socketOf(this.raw)?.remoteFamily
  }

  get localAddress(): string | undefined {
    return socketOf(this.raw)?.localAddress
  }

  get localPort(): number | undefined {
    return socketOf(this.raw)?.localPort
  }

  get localFamily(): string | undefined {
    return socketOf(this.raw)?.localFamily
  }

  /** Whether the TCP connection is still being made. */
  get connecting(): boolean {
    return socketOf(this.raw)?.connecting ?? false
  }

  get pending(): boolean {
    return socketOf(this.raw)?.pending ?? false
  }

  get readyState(): "opening" | "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.connecting) return "opening"
    if (this.readable) return this.writable ? "open" : "readOnly"
    return this.writable ? "writeOnly" : "closed"
  }

  /** On the wire, TLS included. */
  get bytesRead(): number {
    return socketOf(this.raw)?.bytesRead ?? 0
  }

  get bytesWritten(): number {
    return socketOf(this.raw)?.bytesWritten ?? 0
  }

  /** Of our end; an empty object when there is none. */
  address(): AddressInfo | object {
    return socketOf(this.raw)?.address() ?? {}
  }

  setNoDelay(noDelay?: boolean): this {
    socketOf(this.raw)?.setNoDelay(noDelay)
    return this
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    socketOf(this.raw)?.setKeepAlive(enable, initialDelay)
    return this
  }

  /** Destroys this, and resets the TCP connection. */
  resetAndDestroy(): this {
    socketOf(this.raw)?.resetAndDestroy()
    return this.destroy()
  }

  ref(): this {
    socketOf(this.raw)?.ref()
    return this
  }

  unref(): this {
    socketOf(this.raw)?.unref()
    return this
  }

  /** Emits `timeout` after so many milliseconds in which nothing was read or written; 0: never. */
  setTimeout(milliseconds: number, callback?: () => void): this {
    this.timeout = milliseconds
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
    if (milliseconds > 0 && !this.destroyed) {
      this.#idleTimer = setTimeout(() => this.emit("timeout"), milliseconds)
      this.#idleTimer.unref()
    }
    if (callback !== undefined) {
      if (milliseconds > 0) this.once("timeout", callback)
      else this.off("timeout", callback)
    }
    return this
  }

  /**
   * Something was read or written.
   * @internal
   */
  touch(): void {
    this.#idleTimer?.refresh()
  }
}
