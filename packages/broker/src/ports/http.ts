// Requests of the broker's own to an HTTP server that its configuration names: what asks needs to know of whoever carries it.

export interface HttpCall {
  readonly method: "GET" | "POST"
  /** Path and query; undefined: those of the caller's place. */
  readonly path?: string | undefined
  /** Names in lower case; those that the transport is in charge of are not among them. */
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: none. */
  readonly body: Uint8Array | undefined
  /** Milliseconds until the whole answer has come, from the call on. */
  readonly timeout: number
  /** Bytes of the answer's body. */
  readonly maximumBody: number
}

export type HttpOutcome =
  | { readonly status: number; readonly body: Uint8Array }
  | {
      /** Why there is no answer, in a sentence without a full stop. */
      readonly failed: string
      /** Nobody is there: no connection could be made, or none stays. */
      readonly gone: boolean
    }

export interface HttpCaller {
  /** Where it calls, for people: without what is secret. */
  readonly place: string
  /** Calls `done` exactly once, later. What it throws is its own. Returns what calls the request off; `done` is not called then. */
  call(call: HttpCall, done: (outcome: HttpOutcome) => void): () => void
  /** Lets go of connections that wait for the next call. */
  close(): void
}
