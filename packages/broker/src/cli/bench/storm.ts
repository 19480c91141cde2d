// A connection of the storm, from TCP to CONNACK and to the end: what the load of `tls13 bench` makes one after the other.

import { type Attempt, now, partingPatience, reasonText } from "@puremq/tls13/bench"
import type { Connector } from "./connector.ts"

/** What makes the load asks for. */
export class StormEngine {
  readonly primings: number = 0
  readonly reusesTickets: boolean = false
  readonly #connector: Connector
  readonly #timeout: number
  readonly #worker: number
  #count = 0

  constructor(connector: Connector, timeout: number, worker: number) {
    this.#connector = connector
    this.#timeout = timeout
    this.#worker = worker
  }

  prepare(): undefined {
    return undefined
  }

  look(): Promise<Attempt> {
    return this.attempt(undefined)
  }

  /** `own` is what TLS and WebSocket took. */
  async attempt(localAddress: string | undefined): Promise<Attempt> {
    const began = now()
    const times: { reached: number | undefined; ready: number | undefined } = { reached: undefined, ready: undefined }
    const name = `${this.#worker}.${(this.#count++).toString(36)}`
    const stages = {
      reached() {
        times.reached = now()
      },
      ready() {
        times.ready = now()
      },
    }
    const client = this.#connector.openWhole(name, stages, localAddress)
    let [done, failure] = [undefined as number | undefined, undefined as string | undefined]
    try {
      await client.connect(this.#timeout)
      done = now()
    } catch (error) {
      failure = reasonText(error)
    }
    client.end()
    const closedByServer = await within(client.closed, partingPatience)
    if (!closedByServer) client.destroy()
    const { reached, ready } = times
    return {
      began,
      reached,
      done,
      ended: now(),
      own: reached === undefined || ready === undefined ? undefined : ready - reached,
      behind: undefined,
      failure,
      wire: undefined,
      closedByServer,
      agreed: {},
      unverified: undefined,
    }
  }
}

/** Whether it ends in that many milliseconds, well or not. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  const ended = work.then(
    () => true,
    () => true,
  )
  return Promise.race([ended, late]).finally(() => clearTimeout(timer))
}
