// Threads that a server's handshakes give their public-key operations to, so that connected clients do not wait for them.

import { Worker } from "node:worker_threads"
import { Misuse, messageOf } from "../../../bytes/errors.ts"
import { InvalidKeyShare } from "../../../crypto/provider.ts"
import type { ProviderName } from "../provider.ts"
import type { Job, JobResult } from "./jobs.ts"

/** More than machines have use for: each takes some megabytes. */
export const mostWorkers = 64

/** Milliseconds after the end of a thread before there is another in its place. */
const respite = 1000

type Answer<Result> = { readonly resolve: (result: Result) => void; readonly reject: (error: Error) => void }

type Omitted<Value, Name extends PropertyKey> = Value extends unknown ? Omit<Value, Name> : never

interface Thread {
  readonly worker: Worker
  /** Jobs that leave with the next message. */
  queue: Job[]
  readonly waiting: Map<number, Answer<JobResult>>
}

export class HandshakeWorkers {
  readonly #provider: ProviderName
  readonly #onEnd: (why: string) => void
  readonly #threads: (Thread | undefined)[]
  #lastId = 0
  #closed = false

  /**
   * @param count threads, 1 to 64
   * @param onEnd told why a thread has ended that was not closed
   * @throws Misuse
   */
  constructor(count: number, provider: ProviderName, onEnd: (why: string) => void = () => undefined) {
    if (!Number.isInteger(count) || count < 1 || count > mostWorkers)
      throw new Misuse(`\`workers\` is a whole number from 0 to ${mostWorkers}, not ${count}`)
    this.#provider = provider
    this.#onEnd = onEnd
    this.#threads = Array.from({ length: count }, () => undefined)
    this.open()
  }

  /** After `close`, again. */
  open(): void {
    this.#closed = false
    for (const [at, thread] of this.#threads.entries()) if (thread === undefined) this.#start(at)
  }

  /** Threads that take jobs. */
  get size(): number {
    return this.#threads.reduce((sum, thread) => sum + (thread === undefined ? 0 : 1), 0)
  }

  /**
   * What a thread makes of it; undefined when there is none. Rejects with InvalidKeyShare for a share that cannot be used, and
   * with Error when the thread has ended.
   */
  give(job: Omitted<Job, "id">): Promise<JobResult> | undefined {
    const thread = this.#leastBusy()
    if (thread === undefined) return undefined
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      thread.waiting.set(id, { resolve, reject })
      // All that this turn of the loop has for it goes in one message.
      if (thread.queue.push({ id, ...job } as Job) === 1) setImmediate(() => this.#send(thread))
    })
  }

  /** Ends the threads; what they have not done is rejected. */
  close(): void {
    this.#closed = true
    for (const [at, thread] of this.#threads.entries()) {
      if (thread === undefined) continue
      this.#threads[at] = undefined
      void thread.worker.terminate()
    }
  }

  #leastBusy(): Thread | undefined {
    let least: Thread | undefined
    for (const thread of this.#threads) {
      if (thread !== undefined && (least === undefined || thread.waiting.size < least.waiting.size)) least = thread
    }
    return least
  }

  #send(thread: Thread): void {
    const jobs = thread.queue
    thread.queue = []
    try {
      thread.worker.postMessage(jobs)
    } catch (error) {
      for (const { id } of jobs) settle(thread, { id, failed: messageOf(error), invalidKeyShare: false })
    }
  }

  #start(at: number): void {
    if (this.#closed || this.#threads[at] !== undefined) return
    const worker = new Worker(new URL("./thread.js", import.meta.url), { workerData: this.#provider })
    const thread: Thread = { worker, queue: [], waiting: new Map() }
    this.#threads[at] = thread
    worker.unref()
    let why = "it was ended"
    worker.on("message", (results: readonly JobResult[]) => {
      for (const result of results) settle(thread, result)
    })
    worker.on("error", (error) => {
      why = error.message
    })
    worker.on("exit", () => {
      if (this.#threads[at] === thread) this.#threads[at] = undefined
      for (const { reject } of thread.waiting.values()) reject(new Error(`a handshake worker has ended: ${why}`))
      thread.waiting.clear()
      if (this.#closed) return
      this.#onEnd(why)
      setTimeout(() => this.#start(at), respite).unref()
    })
  }
}

function settle({ waiting }: Thread, result: JobResult): void {
  const answer = waiting.get(result.id)
  waiting.delete(result.id)
  if (!("failed" in result)) answer?.resolve(result)
  else answer?.reject(result.invalidKeyShare ? new InvalidKeyShare(result.failed) : new Error(result.failed))
}
